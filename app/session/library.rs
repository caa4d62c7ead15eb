use crate::{Moment, Session};
use fourstep_protocol::{Availability, LibraryItem, ModelInfo, ModelRef};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

impl Session {
    /// Takes over what is here and what can be downloaded; cheap where it is what it was.
    pub fn set_library(&mut self, items: Arc<Vec<LibraryItem>>, now: Moment) {
        if Arc::ptr_eq(&items, &self.library) {
            return;
        }
        let had: HashSet<ModelRef> = ready(&self.library).map(|info| info.model.clone()).collect();
        self.library = items;
        self.merge_models(&had);
        self.apply_awaited(now);
        self.reconcile(now);
    }

    /// What is here and what can be downloaded.
    pub fn library(&self) -> &Arc<Vec<LibraryItem>> {
        &self.library
    }

    /// Models of the library first, then those opened by path; the one in use stays even where its files went.
    fn merge_models(&mut self, had: &HashSet<ModelRef>) {
        let library = Arc::clone(&self.library);
        let fresh: HashMap<&ModelRef, &ModelInfo> = ready(&library).map(|info| (&info.model, info)).collect();
        for known in &mut self.models {
            if let Some(info) = fresh.get(&known.model) {
                known.clone_from(info);
            }
        }
        let current = self.model.model.clone();
        self.models.retain(|m| m.model == current || !had.contains(&m.model) || fresh.contains_key(&m.model));
        let known: HashSet<ModelRef> = self.models.iter().map(|info| info.model.clone()).collect();
        self.models.extend(ready(&library).filter(|info| !known.contains(&info.model)).cloned());
        if let Some(info) = fresh.get(&current).filter(|info| ***info != self.model) {
            self.model = (*info).clone();
            self.refit();
        }
    }
}

fn ready(items: &[LibraryItem]) -> impl Iterator<Item = &ModelInfo> {
    items.iter().filter(|item| item.availability == Availability::Ready).filter_map(|item| item.model.as_ref())
}
