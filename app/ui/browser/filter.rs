use fourstep_protocol::{Availability, Family, ItemKind, LibraryItem};

/// Which of the library's items are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    pub kind: ItemKind,
    pub place: Place,
    /// Only these networks; what is not known is listed always.
    pub family: Option<Family>,
    /// Words that all have to be found.
    pub query: String,
}

/// Here, or to be downloaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Place {
    #[default]
    Everywhere,
    Here,
    Hub,
}

impl Filter {
    pub(super) fn of(kind: ItemKind, family: Option<Family>) -> Self {
        Self { kind, place: Place::default(), family, query: String::new() }
    }

    /// The indices of what is listed, in the order of the library.
    pub(super) fn apply(&self, items: &[LibraryItem]) -> Vec<usize> {
        let words: Vec<String> = self.query.split_whitespace().map(str::to_lowercase).collect();
        let listed = |item: &LibraryItem| {
            item.kind == self.kind
                && self.place.holds(item)
                && (self.family.is_none() || item.family.is_none() || item.family == self.family)
                && is_called(item, &words)
        };
        items.iter().enumerate().filter(|(_, item)| listed(item)).map(|(index, _)| index).collect()
    }
}

impl Place {
    fn holds(self, item: &LibraryItem) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Here => is_here(item),
            Self::Hub => !is_here(item),
        }
    }
}

/// Whether its files are on this computer, usable or not.
pub(super) fn is_here(item: &LibraryItem) -> bool {
    matches!(item.availability, Availability::Ready | Availability::Unusable(_))
}

fn is_called(item: &LibraryItem, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let family = item.family.map_or("", Family::label);
    let text = format!("{} {} {} {}", item.name, item.detail, item.id, family).to_lowercase();
    words.iter().all(|word| text.contains(word.as_str()))
}

/// The families there are among items of this kind, in order; models of their own sizes are no family.
pub(super) fn families(items: &[LibraryItem], kind: ItemKind) -> Vec<Family> {
    let mut families: Vec<Family> = items.iter().filter(|i| i.kind == kind).filter_map(|i| i.family).collect();
    families.retain(|family| *family != Family::Custom);
    families.sort_unstable();
    families.dedup();
    families
}

#[cfg(test)]
mod tests {
    use super::*;
    use fourstep_protocol::Origin;

    fn item(name: &str, family: Option<Family>, availability: Availability) -> LibraryItem {
        LibraryItem {
            id: name.to_lowercase().replace(' ', "-"),
            name: name.into(),
            kind: ItemKind::Model,
            family,
            detail: "checkpoint".into(),
            licence: None,
            size_bytes: None,
            origin: Origin::BuiltIn,
            availability,
            model: None,
            lora: None,
        }
    }

    #[test]
    fn words_places_and_families_narrow_the_list() {
        let absent = Availability::Absent { have_bytes: 0 };
        let items = [
            item("Dream Shaper 8", Some(Family::Sd15), Availability::Ready),
            item("SDXL Turbo", Some(Family::Sdxl), absent),
            item("Unknown", None, Availability::Ready),
        ];
        let all = Filter::of(ItemKind::Model, None);
        assert_eq!(all.apply(&items), [0, 1, 2]);
        assert_eq!(Filter { query: " shaper  DREAM".into(), ..all.clone() }.apply(&items), [0]);
        assert_eq!(Filter { query: "sdxl".into(), ..all.clone() }.apply(&items), [1]);
        assert_eq!(Filter { place: Place::Here, ..all.clone() }.apply(&items), [0, 2]);
        assert_eq!(Filter { place: Place::Hub, ..all.clone() }.apply(&items), [1]);
        assert_eq!(Filter { family: Some(Family::Sdxl), ..all.clone() }.apply(&items), [1, 2]);
        assert!(Filter { kind: ItemKind::Vae, ..all }.apply(&items).is_empty());
        assert_eq!(families(&items, ItemKind::Model), [Family::Sd15, Family::Sdxl]);
    }
}
