use super::out;
use fourstep_protocol::{Event, LoraReport};

/// What became of the LoRAs of a run.
#[derive(Default)]
pub(super) struct Reports {
    pub(super) loras: Vec<LoraReport>,
}

/// Keys that a warning names.
const NAMED: usize = 3;

impl Reports {
    /// Keeps what the run says of its LoRAs.
    pub(super) fn take(&mut self, event: &Event) {
        if let Event::Merged { reports, .. } = event {
            self.loras.clone_from(reports);
        }
    }

    /// Says what of them has no effect.
    pub(super) fn warn(&self) {
        self.loras.iter().filter_map(warning).for_each(|text| out::note(&format!("warning: {text}")));
    }
}

fn warning(report: &LoraReport) -> Option<String> {
    let LoraReport { source, matched, total, ignored } = report;
    let more = ignored.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let named: Vec<&str> = ignored.iter().take(NAMED).map(String::as_str).collect();
    let named = named.join(", ");
    (!ignored.is_empty()).then(|| format!("{source}: {matched} of {total} modules are used; ignored are {named}{more}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_keys_are_named_and_counted() {
        let report = |ignored: &[&str]| LoraReport {
            source: "style.safetensors".into(),
            matched: 5,
            total: 9,
            ignored: ignored.iter().map(|&key| key.to_owned()).collect(),
        };
        assert_eq!(warning(&report(&[])), None);
        let text = warning(&report(&["a", "b", "c", "d"])).expect("a warning");
        assert_eq!(text, "style.safetensors: 5 of 9 modules are used; ignored are a, b, c and 1 more");
    }
}
