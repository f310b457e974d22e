"""Draw a command's run in a terminal as an SVG picture.

The command runs under a pseudo-terminal of the wanted size, so it colours and
redraws as it would for a person; what the screen shows at the end is drawn with
plain shapes and the reader's own monospace font. A PNG is drawn as well where
``rsvg-convert`` is there (``apt-get install librsvg2-bin``).

    python tools/render_terminal.py --output docs/listen.svg -- edge-ser listen --source demo
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import shlex
import shutil
import struct
import subprocess
import sys
import termios
from pathlib import Path
from xml.sax.saxutils import escape

from terminal_screen import Screen, Style

BACKGROUND, BAR, TEXT, PROMPT = "#16181d", "#22252c", "#d7dae0", "#7fd1b9"
COLOURS = (
    ("#3b4048", "#e06c75", "#8ccf7e", "#e5c76b", "#67b0e8", "#c47fd5", "#6cbfbf", "#c9ccd3"),
    ("#6b727f", "#ef7e7e", "#96d988", "#f4d67a", "#71baf2", "#ce89df", "#77caca", "#ffffff"),
)
FONT_SIZE, CELL_WIDTH, LINE_HEIGHT, PADDING, BAR_HEIGHT = 14, 8.43, 20, 18, 36
LEVELS = (0, 95, 135, 175, 215, 255)  # of the 6x6x6 cube of 256-colour terminals


def capture(command: list[str], columns: int, rows: int) -> tuple[bytes, int]:
    """Run a command under a pseudo-terminal.

    Parameters
    ----------
    command : list of str
        What to run.
    columns, rows : int
        Size of the terminal, in characters.

    Returns
    -------
    output : bytes
        All that it wrote.
    status : int
        Its exit status.
    """
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    environment = {
        **os.environ,
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "COLUMNS": str(columns),
        "LINES": str(rows),
    }
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal, env=environment
    )
    os.close(terminal)
    output = bytearray()
    while True:
        try:
            chunk = os.read(controller, 65536)
        except OSError:  # Linux: the other end was closed
            break
        if not chunk:
            break
        output += chunk
    os.close(controller)
    return bytes(output), process.wait()


def colour(value: int | str | None, fallback: str) -> str:
    """Turn a terminal colour (palette index, ``#rrggbb`` or None) into SVG's."""
    if value is None:
        return fallback
    if isinstance(value, str):
        return value
    if value < 16:
        return COLOURS[value // 8][value % 8]
    if value < 232:
        cube = value - 16
        red, green, blue = (LEVELS[cube // n % 6] for n in (36, 6, 1))
        return f"#{red:02x}{green:02x}{blue:02x}"
    grey = 8 + 10 * (value - 232)
    return f"#{grey:02x}{grey:02x}{grey:02x}"


def block_shape(character: str) -> tuple[float, float, float, float, float] | None:
    """Give (x, y, width, height, opacity) of a block element in cells; None for other text.

    Fonts leave hairlines between these, so they are drawn as rectangles.
    """
    code = ord(character)
    if 0x2581 <= code <= 0x2588:  # lower eighths, full block
        height = (code - 0x2580) / 8
        return 0.0, 1.0 - height, 1.0, height, 1.0
    if 0x2589 <= code <= 0x258F:  # left eighths
        return 0.0, 0.0, (0x2590 - code) / 8, 1.0, 1.0
    if 0x2591 <= code <= 0x2593:  # shades
        return 0.0, 0.0, 1.0, 1.0, (code - 0x2590) / 4
    return None


def draw_row(cells: list[tuple[str, Style]], top: float) -> list[str]:
    """Draw one line of the screen: backgrounds and blocks as shapes, the rest as text."""
    shapes, start = [], 0
    while start < len(cells):
        style = cells[start][1]
        block = block_shape(cells[start][0])
        end = start + 1
        while end < len(cells) and cells[end][1] == style:
            if block_shape(cells[end][0]) != block or (block and cells[start][0] != cells[end][0]):
                break
            end += 1
        text = "".join(character for character, _ in cells[start:end])
        left, width = PADDING + start * CELL_WIDTH, (end - start) * CELL_WIDTH
        front, back = colour(style.foreground, TEXT), colour(style.background, "none")
        if style.reverse:
            front, back = (BACKGROUND if back == "none" else back), front
        if back != "none":
            shapes.append(
                f'<rect x="{left:.2f}" y="{top}" width="{width:.2f}" height="{LINE_HEIGHT}" '
                f'fill="{back}"/>'
            )
        opacity = ' opacity="0.62"' if style.dim else ""
        repeated = block is not None and (end - start == 1 or block[2] == 1.0)
        if block is not None and repeated:
            _, y, share, height, shade = block
            # A little wider than its cells: no hairline before the part of a cell that follows.
            wide = width + 0.4 * (shade == 1.0) if share == 1.0 else share * CELL_WIDTH
            # 4 units of air between lines, so that bars on neighbouring lines stay apart.
            y_top, tall = top + 3 + y * (LINE_HEIGHT - 6), height * (LINE_HEIGHT - 6)
            strength = shade * (0.62 if style.dim else 1.0)
            shapes.append(
                f'<rect x="{left:.2f}" y="{y_top:.2f}" width="{wide:.2f}" height="{tall:.2f}" '
                f'fill="{front}" fill-opacity="{strength:.2f}"/>'
            )
        elif text.strip():
            lead = len(text) - len(text.lstrip())
            shown = text.strip()
            bold = ' font-weight="bold"' if style.bold else ""
            line = ' text-decoration="underline"' if style.underline else ""
            shapes.append(
                f'<text x="{left + lead * CELL_WIDTH:.2f}" y="{top + 14.5}" fill="{front}"'
                f'{bold}{line}{opacity} textLength="{len(shown) * CELL_WIDTH:.2f}" '
                f'lengthAdjust="spacingAndGlyphs" xml:space="preserve">{escape(shown)}</text>'
            )
        start = end
    return shapes


def render(screen: Screen, columns: int, title: str) -> str:
    """Draw the screen in a window.

    Parameters
    ----------
    screen : Screen
        What is to be seen.
    columns : int
        Width, in characters.
    title : str
        The text in the window's bar.

    Returns
    -------
    str
        An SVG document.
    """
    rows = screen.rows()
    width = round(2 * PADDING + columns * CELL_WIDTH)
    height = BAR_HEIGHT + 2 * PADDING - 8 + len(rows) * LINE_HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" rx="10" fill="{BACKGROUND}"/>',
        f'<path fill="{BAR}" d="M0 {BAR_HEIGHT}V10a10 10 0 0 1 10-10H{width - 10}'
        f'a10 10 0 0 1 10 10V{BAR_HEIGHT}Z"/>',
    ]
    for index, dot in enumerate(("#e06c75", "#e5c76b", "#8ccf7e")):
        parts.append(f'<circle cx="{22 + 20 * index}" cy="{BAR_HEIGHT / 2}" r="6" fill="{dot}"/>')
    font = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"
    parts.append(
        f'<text x="{width / 2}" y="{BAR_HEIGHT / 2 + 4.5}" fill="#9aa0ab" text-anchor="middle" '
        f'font-family="system-ui, sans-serif" font-size="13">{escape(title)}</text>'
    )
    parts.append(f'<g font-family="{font}" font-size="{FONT_SIZE}">')
    for index, cells in enumerate(rows):
        parts += draw_row(cells, BAR_HEIGHT + PADDING - 4 + index * LINE_HEIGHT)
    return "\n".join([*parts, "</g>", "</svg>", ""])


def main(argv: list[str] | None = None) -> int:
    """Run the command and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="the SVG to write")
    parser.add_argument("--png", action="store_true", help="also write a PNG beside it")
    parser.add_argument("--columns", type=int, default=92, help="width, in characters")
    parser.add_argument("--rows", type=int, default=40, help="height of the terminal, in lines")
    parser.add_argument("--title", default="edge-ser", help="text in the window's bar")
    parser.add_argument("--prompt", help="the command as shown; default: as run, without folders")
    parser.add_argument("command", nargs="+", help="what to run, after --")
    options = parser.parse_args(argv)
    output, status = capture(options.command, options.columns, options.rows)
    screen = Screen(options.columns)
    shown = options.prompt or shlex.join([Path(options.command[0]).name, *options.command[1:]])
    screen.write(shown, Style(bold=True), prompt=Style(foreground=PROMPT, bold=True))
    screen.feed(output.decode("utf-8", "replace"))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    temporary = options.output.with_name(options.output.name + ".part")
    temporary.write_text(render(screen, options.columns, options.title), encoding="utf-8")
    os.replace(temporary, options.output)
    if options.png:
        if shutil.which("rsvg-convert") is None:
            print("render_terminal: error: apt-get install librsvg2-bin for a PNG", file=sys.stderr)
            return 2
        target = options.output.with_suffix(".png")
        subprocess.run(
            ["rsvg-convert", "--zoom", "2", "-o", str(target), str(options.output)], check=True
        )
    print(f"{options.output}: the command ended with status {status}")
    return status


if __name__ == "__main__":
    sys.exit(main())
