//! Random faults. The same seed gives the same sequence, apart from timing.

use std::time::{Duration, Instant};

use rand::RngExt;
use rand::rngs::StdRng;

use crate::fleet::Fleet;
use crate::process::Process;

/// Number of workers.
const WORKERS: usize = 3;

/// Length of a stop in seconds. Longer than a lease.
const STOP_SECONDS: u64 = 18;

/// The workers of a fleet, and the faults injected so far.
pub(super) struct Chaos<'a> {
    fleet: &'a Fleet,
    rng: StdRng,
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
    pub(super) fn new(fleet: &'a Fleet, rng: StdRng) -> Self {
        let workers = (0..WORKERS).map(|_| Worker::start(fleet)).collect();
        Self { fleet, rng, workers, largest: 0, kills: 0, stops: 0, redis: 0, postgres: 0 }
    }

    /// Injects a fault every two seconds on average.
    pub(super) async fn run(&mut self, length: Duration) {
        let end = Instant::now() + length;
        while Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(self.rng.random_range(500..3_500))).await;
            self.resume(Duration::from_secs(STOP_SECONDS));
            self.measure();
            match self.rng.random_range(0..10) {
                0..=3 => self.kill(),
                4..=5 => self.pause(),
                6..=7 => self.interrupt_redis().await,
                _ => self.restart_postgres().await,
            }
        }
    }

    /// Resumes all workers. Returns the peak memory of any worker in MiB.
    pub(super) async fn stop(&mut self) -> u64 {
        self.resume(Duration::ZERO);
        self.measure();
        self.largest
    }

    fn kill(&mut self) {
        let victim = self.rng.random_range(0..self.workers.len());
        let killed = std::mem::replace(&mut self.workers[victim], Worker::start(self.fleet));
        killed.process.kill();
        self.kills += 1;
    }

    /// Pauses a worker (SIGSTOP), but never the last running one.
    fn pause(&mut self) {
        let running: Vec<usize> =
            (0..self.workers.len()).filter(|&worker| self.workers[worker].stopped.is_none()).collect();
        if running.len() > 1 {
            let worker = &mut self.workers[running[self.rng.random_range(0..running.len())]];
            worker.process.signal("STOP");
            worker.stopped = Some(Instant::now());
            self.stops += 1;
        }
    }

    fn resume(&mut self, after: Duration) {
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

    /// Flushes or restarts Redis.
    async fn interrupt_redis(&mut self) {
        if self.rng.random_bool(0.5) {
            super::snapshot::flush_redis(self.fleet).await;
        } else {
            self.fleet.servers.stop_redis().await.unwrap();
            tokio::time::sleep(Duration::from_millis(self.rng.random_range(200..2_000))).await;
            self.fleet.servers.start_redis().await.unwrap();
        }
        self.redis += 1;
    }

    async fn restart_postgres(&mut self) {
        self.fleet.servers.stop_postgres().await.unwrap();
        tokio::time::sleep(Duration::from_millis(self.rng.random_range(100..1_000))).await;
        self.fleet.servers.start_postgres().await.unwrap();
        self.postgres += 1;
    }
}

impl Worker {
    fn start(fleet: &Fleet) -> Self {
        Self { process: fleet.start(&["worker"]), stopped: None }
    }
}
