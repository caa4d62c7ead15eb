/// A handful of values by key, the least recently used one dropped first. Linear search: the capacities here are
/// single digits and the values are megabytes.
pub(crate) struct Lru<K, V> {
    entries: Vec<(K, V)>,
    capacity: usize,
}

impl<K: PartialEq, V> Lru<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { entries: Vec::with_capacity(capacity), capacity }
    }

    /// The value of `key`, if it is kept.
    pub(crate) fn get(&mut self, key: &K) -> Option<&mut V> {
        let at = self.entries.iter().position(|(k, _)| k == key)?;
        let entry = self.entries.remove(at);
        self.entries.push(entry);
        self.entries.last_mut().map(|(_, value)| value)
    }

    /// Keeps a value.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.entries.retain(|(k, _)| *k != key);
        self.make_room();
        self.entries.push((key, value));
    }

    /// The value of `key`, made by `make` where it is not kept yet. What makes room for it goes before it is made, so
    /// that there are never more than `capacity` values at a time.
    pub(crate) fn get_or_try_insert<E>(&mut self, key: K, make: impl FnOnce() -> Result<V, E>) -> Result<&mut V, E> {
        let entry = match self.entries.iter().position(|(k, _)| *k == key) {
            Some(at) => self.entries.remove(at),
            None => {
                self.make_room();
                (key, make()?)
            }
        };
        self.entries.push(entry);
        let last = self.entries.len() - 1;
        Ok(&mut self.entries[last].1)
    }

    fn make_room(&mut self) {
        if self.entries.len() >= self.capacity {
            self.entries.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut made = Vec::new();
        let mut lru = Lru::new(2);
        for key in [1, 2, 1, 3, 1, 2] {
            let value = lru.get_or_try_insert::<()>(key, || {
                made.push(key);
                Ok(key * 10)
            });
            assert_eq!(value.copied(), Ok(key * 10));
        }
        assert_eq!(made, [1, 2, 3, 2]);
    }

    #[test]
    fn what_fails_is_not_kept() {
        let mut lru = Lru::<u8, u8>::new(1);
        assert_eq!(lru.get_or_try_insert(1, || Err("no")), Err("no"));
        assert_eq!(lru.get_or_try_insert::<&str>(1, || Ok(5)).copied(), Ok(5));
    }
}
