//! Files that were dropped together: done in one go, the model before its LoRAs, and told in one sentence.

use crate::i18n::tr_with;
use crate::ports::Seen;
use fourstep_protocol::{Availability, Failure, ItemKind, LibraryItem, ModelRef};
use fourstep_session::Action;

/// Files whose nature is being found out.
#[derive(Default)]
pub(crate) struct Batch {
    waiting: usize,
    seen: Vec<Seen>,
}

/// What is done with them.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Plan {
    pub actions: Vec<Action>,
    /// What was done, in sentences without a full stop.
    pub said: Vec<String>,
    pub failures: Vec<Failure>,
}

impl Batch {
    /// So many answers will come.
    pub(crate) fn expect(&mut self, count: usize) {
        self.waiting += count;
    }

    /// An answer; with the last one, what is done with all of them.
    pub(crate) fn take(&mut self, seen: Seen) -> Option<Plan> {
        self.waiting = self.waiting.saturating_sub(1);
        self.seen.push(seen);
        (self.waiting == 0).then(|| plan(std::mem::take(&mut self.seen)))
    }
}

fn plan(mut seen: Vec<Seen>) -> Plan {
    // A model takes the stack with it, so it comes first.
    let rank = |seen: &Seen| match seen {
        Seen::Item(item) if item.kind == ItemKind::Model => 0,
        Seen::Item(item) if item.kind == ItemKind::Vae => 1,
        _ => 2,
    };
    seen.sort_by_key(rank);
    let mut plan = Plan::default();
    for one in seen {
        match one {
            Seen::Item(item) => plan.add(&item),
            Seen::Folder { path, models, loras } => {
                let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
                if models + loras == 0 {
                    plan.said.push(tr_with("batch-nothing", &[("name", name.into())]));
                    continue;
                }
                plan.said.push(tr_with(
                    "batch-folder",
                    &[("models", models.into()), ("loras", loras.into()), ("name", name.into())],
                ));
            }
            Seen::Failed(failure) => plan.failures.push(failure),
        }
    }
    plan
}

impl Plan {
    fn add(&mut self, item: &LibraryItem) {
        if let Availability::Unusable(failure) | Availability::Failed(failure) = &item.availability {
            self.failures.push(failure.clone());
            return;
        }
        let id = item.id.clone();
        let named = |key| tr_with(key, &[("name", item.name.as_str().into())]);
        let has_model = self.actions.iter().any(|a| matches!(a, Action::ChooseModel(_)));
        let has_vae = self.actions.iter().any(|a| matches!(a, Action::SetVae(_)));
        let (action, said) = match item.kind {
            ItemKind::Model if !has_model => (Action::ChooseModel(ModelRef::new(id)), named("batch-model")),
            ItemKind::Lora => (Action::AddLora(id), named("batch-lora")),
            ItemKind::Vae if !has_vae => (Action::SetVae(Some(id)), named("batch-vae")),
            ItemKind::Model | ItemKind::Vae | ItemKind::TinyDecoder => {
                self.said.push(named("batch-library"));
                return;
            }
        };
        self.actions.push(action);
        self.said.push(said);
    }

    /// The first failure, and how many more there were.
    pub(crate) fn failure(&self) -> Option<Failure> {
        let mut first = self.failures.first()?.clone();
        let more = self.failures.len() - 1;
        if more > 0 {
            first.why = tr_with("batch-more-failed", &[("why", first.why.into()), ("n", more.into())]);
        }
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fourstep_protocol::Origin;

    fn item(id: &str, kind: ItemKind) -> Seen {
        Seen::Item(Box::new(LibraryItem {
            id: id.into(),
            name: id.to_uppercase(),
            kind,
            family: None,
            detail: String::new(),
            licence: None,
            size_bytes: None,
            origin: Origin::BuiltIn,
            availability: Availability::Ready,
            model: None,
            lora: None,
        }))
    }

    #[test]
    fn files_dropped_together_are_done_when_the_last_is_known_model_first() {
        let mut batch = Batch::default();
        batch.expect(5);
        let failed = Seen::Failed(Failure::input("x could not be opened", "it is a text", "Drop a model."));
        for seen in [item("ink", ItemKind::Lora), failed.clone(), failed, item("dream", ItemKind::Model)] {
            assert_eq!(batch.take(seen), None);
        }
        let plan = batch.take(item("second", ItemKind::Model)).unwrap();
        let model = Action::ChooseModel(ModelRef::new("dream"));
        assert_eq!(plan.actions, [model, Action::AddLora("ink".into())]);
        assert_eq!(plan.said, ["Painting with DREAM", "SECOND is in the library", "INK is on the stack of LoRAs"]);
        assert!(plan.failure().unwrap().why.ends_with("(1 file more could not be used either)"));
        let empty = Seen::Folder { path: "/home/me/Music".into(), models: 0, loras: 0 };
        batch.expect(1);
        assert_eq!(batch.take(empty).unwrap().said, ["There is nothing to paint with in Music"]);
        batch.expect(1);
        let folder = Seen::Folder { path: "/home/me/ComfyUI".into(), models: 12, loras: 1 };
        assert_eq!(batch.take(folder).unwrap().said, ["12 models and 1 LoRA of ComfyUI are in the library"]);
    }
}
