//! What a network was packed into, so that a change of some weights packs those anew and no others.

use std::{any::Any, collections::HashMap};

/// The packed weights of one network, of one backend, by full key, each with the version of what it was packed from.
///
/// A network that is loaded again from the same base with other LoRAs or weights takes from here what did not change,
/// and packs the rest into the memory of what it replaces. So drop the old network first: what two hold is not
/// overwritten, and both need memory. One network keeps to one `Packs` for as long as its base, configuration and
/// backend are the same.
#[derive(Default)]
pub struct Packs {
    /// A layer by its key without `.weight`: `B::Linear`, `B::Conv2d` and so on.
    layers: HashMap<String, (Versions, Box<dyn Any + Send>)>,
}

/// Of the tensors that a layer is packed from.
pub(crate) type Versions = [u64; 2];

/// A layer that was asked for.
pub(crate) enum Kept<T> {
    /// Packed from the same tensors.
    Same(T),
    /// Packed from others, and no longer kept.
    Old(T),
    Nothing,
}

impl Packs {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn take<T: Clone + 'static>(&mut self, key: &str, versions: Versions) -> Kept<T> {
        match self.layers.get(key).and_then(|(of, layer)| Some((*of == versions, layer.downcast_ref::<T>()?))) {
            Some((true, layer)) => return Kept::Same(layer.clone()),
            Some((false, _)) => {}
            None => return Kept::Nothing,
        }
        let old = self.layers.remove(key).and_then(|(_, layer)| layer.downcast::<T>().ok());
        old.map_or(Kept::Nothing, |old| Kept::Old(*old))
    }

    pub(crate) fn put<T: Send + 'static>(&mut self, key: String, versions: Versions, layer: T) {
        self.layers.insert(key, (versions, Box::new(layer)));
    }
}

impl std::fmt::Debug for Packs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Packs({} layers)", self.layers.len())
    }
}
