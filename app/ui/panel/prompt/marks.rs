//! What the parts of a prompt look like.

use crate::theme::{self, Palette};
use egui::text::{ByteIndex, LayoutJob, LayoutSection, TextFormat};
use egui::{Color32, FontId, Stroke};
use fourstep_prompt::{Mark, highlight};

/// A weight this much above or below 1 has its colour in full.
const STRONG: f64 = 0.5;

/// A prompt in its colours; `unknown` are words in lower case that the model does not know, and from `unread` on it reads
/// nothing.
pub(super) fn job(
    text: &str,
    font: &FontId,
    (unknown, unread): (&[String], Option<usize>),
    p: &Palette,
    wrap: f32,
) -> LayoutJob {
    let mut job = LayoutJob { text: text.to_owned(), ..LayoutJob::default() };
    job.wrap.max_width = wrap;
    for span in highlight(text) {
        let format = format(span.mark, font, p);
        let is_words = matches!(span.mark, Mark::Text | Mark::Weighted(_));
        let mut at = span.range.start;
        for part in text[span.range].split_inclusive(|c: char| !c.is_alphanumeric()) {
            let word = part.trim_end_matches(|c: char| !c.is_alphanumeric());
            let mut section = |range: std::ops::Range<usize>, format: TextFormat| {
                if !range.is_empty() {
                    job.sections.push(LayoutSection {
                        leading_space: 0.0,
                        byte_range: ByteIndex(range.start)..ByteIndex(range.end),
                        format,
                    });
                }
            };
            let end = at + part.len();
            let is_read = unread.is_none_or(|unread| at < unread);
            let format = if is_read { format.clone() } else { TextFormat::simple(font.clone(), p.disabled) };
            let is_unknown = is_read && is_words && !unknown.is_empty() && is_among(word, unknown);
            let underline = if is_unknown { Stroke::new(1.0, p.error) } else { Stroke::NONE };
            section(at..at + word.len(), TextFormat { underline, ..format.clone() });
            section(at + word.len()..end, format.clone());
            at = end;
        }
    }
    job
}

/// Whether the model does not know this word.
pub(super) fn is_among(word: &str, unknown: &[String]) -> bool {
    !word.is_empty() && unknown.iter().any(|known| *known == word.to_lowercase())
}

fn format(mark: Mark, font: &FontId, p: &Palette) -> TextFormat {
    let plain = |ink: Color32| TextFormat::simple(font.clone(), ink);
    match mark {
        Mark::Text => plain(p.text),
        Mark::Weighted(weight) => {
            let strength = ((weight - 1.0) / STRONG).clamp(-1.0, 1.0) as f32;
            let towards = if strength > 0.0 { p.accent } else { p.disabled };
            plain(p.text.lerp_to_gamma(towards, strength.abs()))
        }
        Mark::Syntax => plain(p.secondary),
        Mark::Break => TextFormat::simple(theme::semibold(font.size), p.accent),
        Mark::Tag => TextFormat { background: p.chosen, ..plain(p.text) },
        Mark::Choice | Mark::Wildcard => plain(p.accent),
        Mark::Comment => TextFormat { italics: true, ..plain(p.secondary) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::Theme;

    #[test]
    fn what_is_not_read_is_pale() {
        let (font, p) = (theme::regular(14.0), Palette::of(Theme::Dark));
        let job = job("a red (apple:1.2)", &font, (&[], Some(6)), p, 100.0);
        let pale = |section: &LayoutSection| section.format.color == p.disabled;
        assert!(job.sections.iter().all(|section| pale(section) == (section.byte_range.start.0 >= 6)));
    }

    #[test]
    fn every_byte_has_a_format_once() {
        let (font, p) = (theme::regular(14.0), Palette::of(Theme::Dark));
        for text in ["", "a (röd:1.2) xqz, <lora:x> # c", "漢字 xqz\n\n"] {
            let job = job(text, &font, (&["xqz".into()], None), p, 100.0);
            let mut at = 0;
            for section in &job.sections {
                let range: std::ops::Range<usize> = section.byte_range.start.0..section.byte_range.end.0;
                assert_eq!(range.start, at);
                at = range.end;
                let underlined = section.format.underline != Stroke::NONE;
                assert_eq!(underlined, &text[range] == "xqz", "{text:?}");
            }
            assert_eq!(at, text.len());
        }
    }
}
