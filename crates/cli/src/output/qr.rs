//! A QR code in a terminal.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};

/// Light modules around the code. The standard asks for four; scanners do with two.
const QUIET: usize = 2;

/// The code for `text` in half blocks, two rows of modules to a line. `None` if the text is too long for one.
///
/// Colours are set outright, so that dark modules are dark whatever the terminal's theme; where colours are stripped, light
/// modules are drawn, which is right on a dark background and which most scanners read on a light one.
pub(crate) fn draw(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let modules = code.to_colors();
    let width = code.width();
    let size = width + 2 * QUIET;
    let dark = |x: usize, y: usize| {
        let inside = |n: usize| n.checked_sub(QUIET).filter(|n| *n < width);
        match (inside(x), inside(y)) {
            (Some(x), Some(y)) => modules.get(y * width + x) == Some(&Color::Dark),
            _ => false,
        }
    };
    let mut out = String::new();
    for y in (0..size).step_by(2) {
        // Bright white on black: what is drawn is light.
        out.push_str("\x1b[97;40m");
        for x in 0..size {
            let below = y + 1 >= size || dark(x, y + 1);
            out.push(match (dark(x, y), below) {
                (true, true) => ' ',
                (true, false) => '▄',
                (false, true) => '▀',
                (false, false) => '█',
            });
        }
        let _ = writeln!(out, "\x1b[0m");
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_finder_patterns_are_where_a_scanner_looks_for_them() {
        let drawn = draw("https://microsoft.com/devicelogin").unwrap();
        let plain: Vec<String> =
            drawn.lines().map(|line| anstream::adapter::strip_str(line).to_string()).collect();
        let width = plain[0].chars().count();
        assert!(plain.iter().all(|line| line.chars().count() == width));
        // Rows 2 and 3 of the picture are the first two rows of the code: seven dark modules, then dark and five light.
        let row: Vec<char> = plain[1].chars().collect();
        assert_eq!(row[..2], ['█', '█']);
        assert_eq!(row[2..9].iter().collect::<String>(), " ▄▄▄▄▄ ");
        assert_eq!(row[width - 9..width - 2].iter().collect::<String>(), " ▄▄▄▄▄ ");
        // A symbol of version v has 17 + 4 v modules.
        assert_eq!((width - 2 * QUIET - 17) % 4, 0);
        assert!(draw(&"x".repeat(5_000)).is_none());
    }

    #[test]
    fn every_module_is_where_the_encoder_put_it() {
        let text = "https://www.microsoft.com/link";
        let code = QrCode::with_error_correction_level(text, EcLevel::L).unwrap();
        let drawn = anstream::adapter::strip_str(&draw(text).unwrap()).to_string();
        let lines: Vec<Vec<char>> = drawn.lines().map(|line| line.chars().collect()).collect();
        for y in 0..code.width() {
            for x in 0..code.width() {
                let cell = lines[(y + QUIET) / 2][x + QUIET];
                let light = if (y + QUIET).is_multiple_of(2) { "█▀" } else { "█▄" }.contains(cell);
                assert_eq!(code[(x, y)] == Color::Light, light, "{x}, {y}");
            }
        }
    }
}
