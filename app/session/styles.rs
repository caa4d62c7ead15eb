//! Styles: words that a person keeps.

use crate::{Moment, Session, action::Edit};
use fourstep_prompt::Style;
use fourstep_protocol::Request;

impl Session {
    /// Styles that a person saved, by name.
    pub fn styles(&self) -> &[Style] {
        &self.settings.styles
    }

    /// One of this name is replaced.
    pub(crate) fn save_style(&mut self, name: &str) {
        let name = name.trim();
        if name.is_empty() {
            return;
        }
        let Request { prompt, negative_prompt, .. } = &self.settings.request;
        let style = Style { name: name.to_owned(), prompt: prompt.clone(), negative: negative_prompt.clone() };
        self.delete_style(name);
        let at = self.settings.styles.partition_point(|other| other.name.to_lowercase() < name.to_lowercase());
        self.settings.styles.insert(at, style);
    }

    pub(crate) fn delete_style(&mut self, name: &str) {
        self.settings.styles.retain(|style| style.name != name);
    }

    pub(crate) fn apply_style(&mut self, name: &str, now: Moment) {
        let Some(style) = self.settings.styles.iter().find(|style| style.name == name).cloned() else { return };
        self.edit(Edit::Style, now, |r| (r.prompt, r.negative_prompt) = style.apply(&r.prompt, &r.negative_prompt));
    }
}
