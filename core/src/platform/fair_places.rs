//! A semaphore that is fair between keys, such as tenants. Its permits are called places.
//!
//! A free place goes to the waiting key that holds the fewest places; keys with equally many take turns. Requests of
//! one key are served in their order. `spare` additional places are reserved for keys without a place, so that a key
//! cannot delay others by holding all places for long. A dropped request takes no place.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The places. Clones share them.
#[derive(Debug)]
pub struct FairPlaces<K: Eq + Hash + Copy> {
    state: Arc<Mutex<State<K>>>,
}

/// A place, released on drop.
#[derive(Debug)]
#[must_use]
pub struct Place<K: Eq + Hash + Copy> {
    places: FairPlaces<K>,
    key: K,
}

#[derive(Debug)]
struct State<K: Eq + Hash + Copy> {
    places: usize,
    spare: usize,
    /// Places held, by key; no entry: none.
    held: HashMap<K, usize>,
    in_use: usize,
    /// Waiting requests by key, in the order of the keys' turns.
    waiting: VecDeque<(K, VecDeque<oneshot::Sender<Place<K>>>)>,
}

impl<K: Eq + Hash + Copy> FairPlaces<K> {
    /// Creates `places` places, at least one, and `spare` more for keys that hold none.
    #[must_use]
    pub fn new(places: usize, spare: usize) -> Self {
        let state =
            State { places: places.max(1), spare, held: HashMap::new(), in_use: 0, waiting: VecDeque::new() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Waits for a place.
    pub async fn take(&self, key: K) -> Place<K> {
        loop {
            let turn = {
                let mut state = self.state();
                if state.may_take(key) {
                    state.hold(key);
                    return Place { places: self.clone(), key };
                }
                state.queue(key)
            };
            if let Ok(place) = turn.await {
                return place;
            }
        }
    }

    /// Number of places taken.
    #[must_use]
    pub fn in_use(&self) -> usize {
        self.state().in_use
    }

    /// Number of places, with the spare ones.
    #[must_use]
    pub fn most(&self) -> usize {
        let state = self.state();
        state.places + state.spare
    }

    /// Releases a place, and grants the free places to waiting requests.
    fn give_back(&self, key: K) {
        let mut state = self.state();
        state.release(key);
        let mut granted = Vec::new();
        while let Some((key, turn)) = state.next() {
            granted.push((key, turn));
        }
        drop(state);
        for (key, turn) in granted {
            // Sending to a dropped request returns its place as an error; the place is released here, outside the lock.
            drop(turn.send(Place { places: self.clone(), key }));
        }
    }

    fn state(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash + Copy> Clone for FairPlaces<K> {
    fn clone(&self) -> Self {
        Self { state: Arc::clone(&self.state) }
    }
}

impl<K: Eq + Hash + Copy> Drop for Place<K> {
    fn drop(&mut self) {
        self.places.give_back(self.key);
    }
}

impl<K: Eq + Hash + Copy> State<K> {
    fn held_by(&self, key: K) -> usize {
        self.held.get(&key).copied().unwrap_or(0)
    }

    /// Whether a key may take a free place. This overtakes no waiting request: a free place is granted to a waiting key
    /// at once, so a place that is free while a key waits is one that this key may not take.
    fn may_take(&self, key: K) -> bool {
        let most = if self.held_by(key) == 0 { self.places + self.spare } else { self.places };
        self.in_use < most
    }

    fn hold(&mut self, key: K) {
        self.in_use += 1;
        *self.held.entry(key).or_default() += 1;
    }

    fn release(&mut self, key: K) {
        self.in_use = self.in_use.saturating_sub(1);
        if let Some(held) = self.held.get_mut(&key) {
            *held -= 1;
            if *held == 0 {
                self.held.remove(&key);
            }
        }
    }

    fn queue(&mut self, key: K) -> oneshot::Receiver<Place<K>> {
        let (turn, granted) = oneshot::channel();
        match self.waiting.iter_mut().find(|(waiting, _)| *waiting == key) {
            Some((_, turns)) => turns.push_back(turn),
            None => self.waiting.push_back((key, VecDeque::from([turn]))),
        }
        granted
    }

    /// Grants a place to the next request and returns the request.
    fn next(&mut self) -> Option<(K, oneshot::Sender<Place<K>>)> {
        // Remove dropped requests, and keys without other requests.
        self.waiting.retain_mut(|(_, turns)| {
            turns.retain(|turn| !turn.is_closed());
            !turns.is_empty()
        });
        // `min_by_key` returns the first of equal elements, so keys with equally many places take turns.
        let keys = self.waiting.iter().enumerate();
        let (at, key) = keys.map(|(at, (key, _))| (at, *key)).min_by_key(|(_, key)| self.held_by(*key))?;
        if !self.may_take(key) {
            return None;
        }
        let (_, mut turns) = self.waiting.remove(at)?;
        let turn = turns.pop_front()?;
        if !turns.is_empty() {
            self.waiting.push_back((key, turns));
        }
        self.hold(key);
        Some((key, turn))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use futures_util::future::BoxFuture;

    use super::*;

    type Request = BoxFuture<'static, Place<char>>;

    /// Requests a place; polls once, so that the request is queued.
    fn request(places: &FairPlaces<char>, key: char) -> (Request, Option<Place<char>>) {
        let places = places.clone();
        let mut request = async move { places.take(key).await }.boxed();
        let now = (&mut request).now_or_never();
        (request, now)
    }

    fn granted(places: &FairPlaces<char>, key: char) -> Place<char> {
        request(places, key).1.unwrap()
    }

    fn queued(places: &FairPlaces<char>, key: char) -> Request {
        let (request, now) = request(places, key);
        assert!(now.is_none(), "{key} waits");
        request
    }

    /// The keys of the requests that have a place now; the places stay held.
    fn served(requests: &mut Vec<(char, Request)>, places: &mut Vec<Place<char>>) -> String {
        let mut keys = String::new();
        requests.retain_mut(|(key, request)| match request.now_or_never() {
            Some(place) => {
                keys.push(*key);
                places.push(place);
                false
            }
            None => true,
        });
        keys
    }

    #[test]
    fn places_are_bounded_and_given_back() {
        let places = FairPlaces::new(2, 0);
        let (one, two) = (granted(&places, 'a'), granted(&places, 'b'));
        let mut third = queued(&places, 'c');
        assert_eq!((places.in_use(), places.most()), (2, 2));
        drop(one);
        let third = (&mut third).now_or_never().unwrap();
        assert_eq!(places.in_use(), 2);
        drop((two, third));
        assert_eq!(places.in_use(), 0);
        assert!(places.state().held.is_empty(), "keys without places take no memory");
    }

    #[test]
    fn a_free_place_goes_to_the_key_with_the_fewest() {
        let places = FairPlaces::new(2, 0);
        let first = granted(&places, 'a');
        let _second = granted(&places, 'a');
        let mut requests: Vec<_> = "aaab".chars().map(|key| (key, queued(&places, key))).collect();
        drop(first);
        let mut held = Vec::new();
        assert_eq!(served(&mut requests, &mut held), "b", "a holds one, though its request is older");
    }

    #[test]
    fn equal_keys_take_turns() {
        let places = FairPlaces::new(1, 0);
        let mut held = vec![granted(&places, 'x')];
        let mut requests: Vec<_> = "aaabbc".chars().map(|key| (key, queued(&places, key))).collect();
        let mut order = String::new();
        while !requests.is_empty() {
            held.clear();
            order += &served(&mut requests, &mut held);
        }
        assert_eq!(order, "abcaba");
    }

    #[test]
    fn a_spare_place_is_for_keys_without_any() {
        let places = FairPlaces::new(2, 1);
        let first = granted(&places, 'a');
        let second = granted(&places, 'a');
        let mut more = queued(&places, 'a');
        let other = granted(&places, 'b');
        let mut late = queued(&places, 'c');
        drop(first);
        let late = (&mut late).now_or_never().unwrap();
        assert!((&mut more).now_or_never().is_none(), "a holds one of two, and b and c one each");
        drop((other, late, second));
        assert!((&mut more).now_or_never().is_some());
    }

    #[test]
    fn dropped_requests_take_no_place() {
        let places = FairPlaces::new(1, 0);
        let held = granted(&places, 'a');
        let given_up = queued(&places, 'b');
        let mut next = queued(&places, 'c');
        drop(given_up);
        drop(held);
        let next = (&mut next).now_or_never().unwrap();
        // A place that was granted but never received is released too.
        let unread = queued(&places, 'd');
        drop(next);
        drop(unread);
        assert_eq!(places.in_use(), 0);
        assert!(places.state().waiting.is_empty());
    }
}
