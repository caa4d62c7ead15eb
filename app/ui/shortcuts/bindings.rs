use super::chord::Chord;
use super::table::{Command, TABLE};
use fourstep_session::Shortcuts;
use std::cell::RefCell;
use std::rc::Rc;

/// Which keys each row of the table has: what the person chose, else what it comes with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bindings {
    made_of: Shortcuts,
    chords: Vec<Vec<Chord>>,
}

thread_local! {
    static CURRENT: RefCell<Rc<Bindings>> = RefCell::new(Rc::new(Bindings::of(&Shortcuts::new())));
}

/// Takes over what the settings say; cheap where nothing changed.
pub(crate) fn set(chosen: &Shortcuts) {
    CURRENT.with_borrow_mut(|current| {
        if current.made_of != *chosen {
            *current = Rc::new(Bindings::of(chosen));
        }
    });
}

/// The shortcuts as they are now.
pub(crate) fn current() -> Rc<Bindings> {
    CURRENT.with_borrow(Rc::clone)
}

/// The keys of a command as its tooltip shows them; empty where it has none.
pub(crate) fn keys(command: Command) -> String {
    let bindings = current();
    let index = TABLE.iter().position(|row| row.command == command);
    let first = index.and_then(|index| bindings.chords(index).first().copied());
    first.map(Chord::label).unwrap_or_default()
}

impl Bindings {
    /// Keys that cannot be read are left out.
    pub(crate) fn of(chosen: &Shortcuts) -> Self {
        let read = |keys: &mut dyn Iterator<Item = &str>| keys.filter_map(|key| key.parse().ok()).collect();
        let chords = TABLE.iter().map(|row| match chosen.get(row.id) {
            Some(keys) => read(&mut keys.iter().map(String::as_str)),
            None => read(&mut row.keys.iter().copied()),
        });
        Self { made_of: chosen.clone(), chords: chords.collect() }
    }

    /// The keys of a row.
    pub(crate) fn chords(&self, index: usize) -> &[Chord] {
        self.chords.get(index).map_or(&[], Vec::as_slice)
    }

    /// Another row that has one of this row's keys.
    pub(crate) fn conflict(&self, index: usize) -> Option<usize> {
        let mine = self.chords(index);
        let shares = |other: &usize| *other != index && self.chords(*other).iter().any(|chord| mine.contains(chord));
        (0..self.chords.len()).find(shares)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str) -> usize {
        TABLE.iter().position(|row| row.id == id).expect("a row")
    }

    #[test]
    fn every_key_of_the_table_can_be_read_and_none_is_there_twice() {
        let bindings = Bindings::of(&Shortcuts::new());
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(bindings.chords(index).len(), row.keys.len(), "{}", row.id);
            assert_eq!(bindings.conflict(index), None, "{}", row.id);
        }
        let mut ids: Vec<_> = TABLE.iter().map(|row| row.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), TABLE.len());
    }

    #[test]
    fn what_the_person_chose_counts_and_conflicts_are_found() {
        let chosen = Shortcuts::from([("save".into(), vec!["Ctrl+Z".into()]), ("help".into(), Vec::new())]);
        let bindings = Bindings::of(&chosen);
        assert_eq!(bindings.conflict(row("save")), Some(row("undo")));
        assert_eq!(bindings.conflict(row("undo")), Some(row("save")));
        assert!(bindings.chords(row("help")).is_empty());
        set(&chosen);
        assert_eq!((keys(Command::Save), keys(Command::Help)), ("Ctrl+Z".to_owned(), String::new()));
        set(&Shortcuts::new());
        assert_eq!(keys(Command::Save), "Ctrl+S");
    }
}
