/*
 * A QEMU TCG plugin: how many guest instructions a thread executes from one mark to the next.
 *
 *     gcc -O2 -shared -fPIC -o count.so count.c
 *     qemu-aarch64 -plugin ./count.so,call=141,out=FILE PROGRAM ...
 *
 * A mark is getpriority(PRIO_PROCESS, 0x5e000000 | n), which finds no process and changes nothing;
 * `call` is that call's number on the emulated machine.  Each mark writes a line, "n own all": what
 * the marking thread and what all threads have executed so far.  Blocks are counted where they are
 * entered: one that is left early by a fault counts whole.
 *
 * The few functions of the interface are declared here, as no package brings its header
 * (interface version 1, QEMU 6.0 and newer).
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_info;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };

typedef void (*block_translated)(qemu_plugin_id_t, struct qemu_plugin_tb *);
typedef void (*block_entered)(unsigned int, void *);
typedef void (*call_made)(qemu_plugin_id_t, unsigned int, int64_t, uint64_t, uint64_t, uint64_t,
                          uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, block_translated);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, block_entered,
                                          enum qemu_plugin_cb_flags, void *);
void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t, call_made);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

#define MARK 0x5e000000u
#define MAX_THREADS 1024

/* One cache line a thread, so that none waits for another. */
static struct { uint64_t n; char apart[56]; } counts[MAX_THREADS];
static int64_t mark_call;
static FILE *out;

static void entered(unsigned int thread, void *n_instructions)
{
    counts[thread % MAX_THREADS].n += (uintptr_t)n_instructions;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_cb(block, entered, QEMU_PLUGIN_CB_NO_REGS,
                                         (void *)(uintptr_t)qemu_plugin_tb_n_insns(block));
}

static void called(qemu_plugin_id_t id, unsigned int thread, int64_t number, uint64_t which,
                   uint64_t who, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7,
                   uint64_t a8)
{
    uint64_t all = 0;

    (void)id; (void)which; (void)a3; (void)a4; (void)a5; (void)a6; (void)a7; (void)a8;
    if (number != mark_call || (who & 0xff000000u) != MARK)
        return;
    for (int i = 0; i < MAX_THREADS; i++)
        all += counts[i].n;
    fprintf(out, "%u %" PRIu64 " %" PRIu64 "\n", (unsigned)(who & 0xffffffu),
            counts[thread % MAX_THREADS].n, all);
    fflush(out);
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id,
                                                               const struct qemu_info *info,
                                                               int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (!strncmp(argv[i], "call=", 5))
            mark_call = atoll(argv[i] + 5);
        else if (!strncmp(argv[i], "out=", 4))
            out = fopen(argv[i] + 4, "w");
    }
    if (!mark_call || !out) {
        fprintf(stderr, "count: call=NUMBER and out=FILE are wanted\n");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, called);
    return 0;
}
