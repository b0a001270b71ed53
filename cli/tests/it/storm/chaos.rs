//! What goes wrong in a storm: by chance, but the same for the same seed, as far as a machine allows.

use std::time::{Duration, Instant};

use rand::RngExt;
use rand::rngs::StdRng;

use crate::fleet::Fleet;
use crate::process::Process;

/// Workers of the fleet.
const WORKERS: usize = 3;

/// Longer than a lease holds, in seconds.
const STOPPED: u64 = 18;

/// A fleet's workers, and what is done to them and to their servers.
pub(super) struct Chaos<'a> {
    fleet: &'a Fleet,
    chance: StdRng,
    workers: Vec<Worker>,
    largest: u64,
    pub(super) kills: usize,
    pub(super) stops: usize,
    pub(super) redis: usize,
    pub(super) postgres: usize,
}

struct Worker {
    process: Process,
    stopped: Option<Instant>,
}

impl<'a> Chaos<'a> {
    pub(super) fn new(fleet: &'a Fleet, chance: StdRng) -> Self {
        let workers = (0..WORKERS).map(|_| Worker::start(fleet)).collect();
        Self { fleet, chance, workers, largest: 0, kills: 0, stops: 0, redis: 0, postgres: 0 }
    }

    /// Does something bad every two seconds or so.
    pub(super) async fn rage(&mut self, length: Duration) {
        let end = Instant::now() + length;
        while Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(self.chance.random_range(500..3_500))).await;
            self.wake(Duration::from_secs(STOPPED));
            self.measure();
            match self.chance.random_range(0..10) {
                0..=3 => self.kill(),
                4..=5 => self.stop(),
                6..=7 => self.lose_redis().await,
                _ => self.lose_postgres().await,
            }
        }
    }

    /// Wakes who is stopped; gives the most that a worker held, in MiB.
    pub(super) async fn end(&mut self) -> u64 {
        self.wake(Duration::ZERO);
        self.measure();
        self.largest
    }

    fn kill(&mut self) {
        let victim = self.chance.random_range(0..self.workers.len());
        let killed = std::mem::replace(&mut self.workers[victim], Worker::start(self.fleet));
        killed.process.kill();
        self.kills += 1;
    }

    /// Stops a worker, but never all of them.
    fn stop(&mut self) {
        let awake: Vec<usize> =
            (0..self.workers.len()).filter(|&worker| self.workers[worker].stopped.is_none()).collect();
        if awake.len() > 1 {
            let worker = &mut self.workers[awake[self.chance.random_range(0..awake.len())]];
            worker.process.signal("STOP");
            worker.stopped = Some(Instant::now());
            self.stops += 1;
        }
    }

    fn wake(&mut self, after: Duration) {
        for worker in &mut self.workers {
            if worker.stopped.is_some_and(|stopped| stopped.elapsed() >= after) {
                worker.process.signal("CONT");
                worker.stopped = None;
            }
        }
    }

    fn measure(&mut self) {
        for worker in &self.workers {
            self.largest = self.largest.max(worker.process.resident_mib("VmHWM"));
        }
    }

    /// Redis goes away for a moment, or forgets everything.
    async fn lose_redis(&mut self) {
        if self.chance.random_bool(0.5) {
            super::seen::flush_redis(self.fleet).await;
        } else {
            self.fleet.servers.stop_redis().await.unwrap();
            tokio::time::sleep(Duration::from_millis(self.chance.random_range(200..2_000))).await;
            self.fleet.servers.start_redis().await.unwrap();
        }
        self.redis += 1;
    }

    async fn lose_postgres(&mut self) {
        self.fleet.servers.stop_postgres().await.unwrap();
        tokio::time::sleep(Duration::from_millis(self.chance.random_range(100..1_000))).await;
        self.fleet.servers.start_postgres().await.unwrap();
        self.postgres += 1;
    }
}

impl Worker {
    fn start(fleet: &Fleet) -> Self {
        Self { process: fleet.start(&["worker"]), stopped: None }
    }
}
