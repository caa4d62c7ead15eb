//! Files read on a thread of their own, what was asked for last first.

use fourstep_ui::{Load, Waker};
use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

/// Questions that wait; older ones are asked again if they are still of interest.
const WAITING: usize = 128;

/// Reads the value of a key and keeps the last ones.
pub(crate) struct Loader<K, V> {
    shared: Arc<Shared<K, V>>,
}

struct Shared<K, V> {
    state: Mutex<State<K, V>>,
    asked: Condvar,
}

struct State<K, V> {
    /// The newest at the end.
    waiting: VecDeque<K>,
    /// `None` where it could not be read.
    read: HashMap<K, Option<Arc<V>>>,
    order: VecDeque<K>,
    keeps: usize,
    ended: bool,
}

impl<K, V> Loader<K, V>
where
    K: Eq + Hash + Clone + Send + 'static,
    V: Send + Sync + 'static,
{
    /// A loader that keeps the last `keeps` values and wakes the window when there is a new one.
    pub(crate) fn new(
        name: &'static str,
        keeps: usize,
        waker: Waker,
        read: impl FnMut(&K) -> Option<V> + Send + 'static,
    ) -> Self {
        let state =
            State { waiting: VecDeque::new(), read: HashMap::new(), order: VecDeque::new(), keeps, ended: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), asked: Condvar::new() });
        let theirs = Arc::clone(&shared);
        let spawned = thread::Builder::new().name(name.into()).spawn(move || work(&theirs, &waker, read));
        if let Err(e) = spawned {
            log::error!("{name}: {e}");
        }
        Self { shared }
    }

    /// The value, where it was read; else it is asked for.
    pub(crate) fn get(&self, key: &K) -> Load<Arc<V>> {
        let mut state = self.shared.lock();
        match state.read.get(key) {
            Some(Some(value)) => return Load::Here(Arc::clone(value)),
            Some(None) => return Load::Gone,
            None => {}
        }
        if !state.waiting.contains(key) {
            state.waiting.push_back(key.clone());
            if state.waiting.len() > WAITING {
                state.waiting.pop_front();
            }
            self.shared.asked.notify_one();
        }
        Load::Asked
    }

    /// Everything is read again when it is asked for.
    pub(crate) fn forget(&self) {
        let mut state = self.shared.lock();
        state.read.clear();
        state.order.clear();
    }
}

impl<K, V> Shared<K, V> {
    /// A panic elsewhere leaves lists that are still right.
    fn lock(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> Drop for Loader<K, V> {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.asked.notify_one();
    }
}

fn work<K: Eq + Hash + Clone, V>(shared: &Shared<K, V>, waker: &Waker, mut read: impl FnMut(&K) -> Option<V>) {
    loop {
        let mut state = shared.lock();
        let key = loop {
            if state.ended {
                return;
            }
            match state.waiting.pop_back() {
                Some(key) => break key,
                None => state = shared.asked.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        };
        drop(state);
        let value = read(&key).map(Arc::new);
        let mut state = shared.lock();
        if state.order.len() >= state.keeps
            && let Some(oldest) = state.order.pop_front()
        {
            state.read.remove(&oldest);
        }
        state.read.insert(key.clone(), value);
        state.order.push_back(key);
        drop(state);
        waker();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::mpsc::channel, time::Duration};

    #[test]
    fn the_last_that_was_asked_for_comes_first_and_old_ones_go() {
        let (order, read) = channel();
        let (go, gate) = channel::<()>();
        let (woken, awake) = channel();
        let waker = move || {
            let _ = woken.send(());
        };
        let loader = Loader::new("test", 2, Arc::new(waker), move |key: &u32| {
            let _ = gate.recv();
            let _ = order.send(*key);
            (*key != 2).then_some(*key * 10)
        });
        assert_eq!(loader.get(&1), Load::Asked);
        // The first is being read by now, or is taken after the others; the others wait.
        std::thread::sleep(Duration::from_millis(100));
        for key in [2, 3, 2] {
            assert_eq!(loader.get(&key), Load::Asked);
        }
        for _ in 0..3 {
            let _ = go.send(());
            awake.recv_timeout(Duration::from_secs(10)).expect("woken");
        }
        assert_eq!(read.try_iter().collect::<Vec<_>>(), [1, 3, 2]);
        assert_eq!((loader.get(&3), loader.get(&2)), (Load::Here(Arc::new(30)), Load::Gone));
        assert_eq!(loader.get(&1), Load::Asked, "only two are kept");
    }
}
