"""A report as a table for a person."""

from __future__ import annotations

from typing import Any

from edge.benchmark.timings import PERCENTILES

__all__ = ["format_report"]


def format_report(report: dict[str, Any]) -> str:
    """Lay a report out as a table for a person."""
    machine = report["machine"]
    lines = [
        f"{machine['board'] or machine['cpu'] or machine['architecture']}, "
        f"{machine['usable_cpus']} CPUs, load {machine['load_average'][0]}, "
        f"Python {machine['python']}, NumPy {machine['numpy']}, "
        f"threads {report['method']['threads']}",
    ]
    for each in report["artifacts"]:
        lines += ["", *_artifact_lines(each)]
    lines += [
        "",
        f"installed         {report['installed']['total_bytes'] / 1e6:.1f} MB: "
        + ", ".join(f"{k} {v / 1e6:.1f}" for k, v in report["installed"]["bytes"].items()),
        f"listened to       {report['method']['clip']}",
    ]
    lines += [f"left out          {each['reason']}" for each in report["left_out"]]
    return "\n".join(lines)


def _artifact_lines(each: dict[str, Any]) -> list[str]:
    artifact, cold, memory = each["artifact"], each["cold_start"], each["memory"]
    heads = " ".join(f"{name:>8}" for name in PERCENTILES)
    lines = [
        f"{artifact['name']} on {artifact['backend']}, {artifact['recipe']}, "
        f"{artifact['model_bytes'] / 1000:.0f} kB, SHA-256 {artifact['model_sha256'][:12]}",
        f"{'milliseconds':<32} {heads}",
    ]
    blocks = {
        f"{each['segment']['audio_s']:.3f} s segment": each["segment"],
        f"{each['hop']['audio_s']:.3f} s hop": each["hop"],
        "stage by stage": each["stages"],
    }
    for title, block in blocks.items():
        heading = title
        for key, stage in block.items():
            if isinstance(stage, dict):
                cells = " ".join(f"{stage[name]:8.2f}" for name in PERCENTILES)
                name = key.removesuffix("_ms").replace("_", " ")
                lines.append(f"{heading:<15} {name:<16} {cells}")
                heading = ""
    lines += [
        f"real-time factor  {each['real_time_factor']:.4f} (mean work for a hop)",
        f"share of a core   {100 * each['core_share']:.2f} %",
        f"memory            {memory['peak_rss_mb']:.0f} MB at most"
        + (f", {cold['peak_rss_mb']:.0f} MB for a first decision alone" if cold else ""),
    ]
    if cold:
        parts = ", ".join(
            f"{name.removesuffix('_ms').replace('_', ' ')} {part['p50']:.0f}"
            for name, part in cold.items()
            if isinstance(part, dict) and name != "total_ms"
        )
        lines.append(f"cold start        {cold['total_ms']['p50']:.0f} ms: {parts}")
    lines.append(
        f"runs              {each['runs']} of each after {each['warm_up']['runs']} to warm up"
    )
    return lines
