//! Processor-heavy work: off the threads of requests and heartbeats, and shared fairly among tenants.
//!
//! For work that may take more than about a millisecond. Shorter work stays on its thread: changing the thread costs
//! about twenty microseconds.

use crate::error::Result;
use crate::platform::fair_queue::{Caller, FairQueue, Place};

/// Places for processor-heavy work, one per core.
pub struct Cpu(FairQueue);

impl Default for Cpu {
    /// At least two places, one of which background work never takes, because its pieces may be long.
    fn default() -> Self {
        let places = std::thread::available_parallelism().map_or(1, usize::from).max(2);
        Self(FairQueue::new(places, places - 1))
    }
}

impl Cpu {
    /// Runs blocking work of an expected cost in milliseconds, once it has a place. Work of more than some ten
    /// milliseconds should call [`Place::yield_if_wanted`] between its pieces.
    ///
    /// # Errors
    /// [`Error::Internal`](crate::Error::Internal) when the work panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        caller: Caller,
        milliseconds: usize,
        work: impl FnOnce(&mut Place) -> T + Send + 'static,
    ) -> Result<T> {
        let mut place = self.0.enter(caller, milliseconds).await;
        crate::blocking(move || work(&mut place)).await
    }

    /// Runs work over this many bytes, such as hashing; on the caller's thread if they are few.
    ///
    /// # Errors
    /// As in [`Cpu::run`].
    pub async fn scan<T: Send + 'static>(
        &self,
        caller: Caller,
        bytes: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        if bytes <= FEW_BYTES {
            return Ok(work());
        }
        self.run(caller, bytes / BYTES_PER_MILLISECOND, |_| work()).await
    }

    /// Analyses texts of this many bytes, such as the passages for a question; on the caller's thread if they are very
    /// short.
    ///
    /// # Errors
    /// As in [`Cpu::run`].
    pub async fn analyse<T: Send + 'static>(
        &self,
        caller: Caller,
        bytes: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        if bytes <= SHORT_TEXT {
            return Ok(work());
        }
        self.run(caller, bytes.div_ceil(ANALYSED_PER_MILLISECOND), |_| work()).await
    }
}

/// Maximum number of bytes scanned on the caller's thread: well under a millisecond.
const FEW_BYTES: usize = 64 * 1024;

/// Speed of reading JSON: 10 MB take 38 ms. Hashing them takes 7 ms, writing them as JSON 4 to 80 ms.
const BYTES_PER_MILLISECOND: usize = 256 * 1024;

/// Maximum number of bytes analysed on the caller's thread: well under a millisecond.
const SHORT_TEXT: usize = 1024;

/// Speed of analysis: five passages of 1,500 characters take 2 to 9 ms, five of 7,600 up to 80 ms.
const ANALYSED_PER_MILLISECOND: usize = 1024;

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[tokio::test]
    async fn only_long_scans_change_the_thread() {
        let cpu = Cpu::default();
        let thread_of =
            async |bytes| cpu.scan(Caller::system(), bytes, || thread::current().id()).await.unwrap();
        assert_eq!(thread_of(FEW_BYTES).await, thread::current().id());
        assert_ne!(thread_of(FEW_BYTES + 1).await, thread::current().id());
    }

    #[tokio::test]
    async fn work_that_panics_frees_its_place() {
        let cpu = Cpu::default();
        for _ in 0..64 {
            assert!(cpu.run(Caller::system(), 1, |_| panic!("on purpose")).await.is_err());
        }
        assert_eq!(cpu.run(Caller::system(), 1, |_| 1).await.unwrap(), 1);
    }
}
