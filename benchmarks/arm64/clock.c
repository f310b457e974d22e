/*
 * The clock that a core runs at, where no counter may be read: multiplications that wait for each
 * other, of which a core by AMD or Intel finishes one in three cycles (x86-64 alone).
 *
 *     gcc -O2 -o clock clock.c && ./clock        prints Hz, the highest of 400 short tries
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define TEN(x) x x x x x x x x x x

int main(void)
{
    double best = 0;

    for (int attempt = 0; attempt < 400; attempt++) {
        struct timespec began, ended;
        uint64_t a = 3;

        clock_gettime(CLOCK_MONOTONIC, &began);
        for (int i = 0; i < 2000; i++)
            __asm__ volatile(TEN(TEN("imul %0, %0\n\t")) : "+r"(a));
        clock_gettime(CLOCK_MONOTONIC, &ended);
        double s = (ended.tv_sec - began.tv_sec) + 1e-9 * (ended.tv_nsec - began.tv_nsec);
        if (3.0 * 100 * 2000 / s > best)
            best = 3.0 * 100 * 2000 / s;
    }
    printf("%.0f\n", best);
    return 0;
}
