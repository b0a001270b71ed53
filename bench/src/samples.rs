//! Pure: statistics of samples.

/// Samples in ascending order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<f64>);

impl FromIterator<f64> for Samples {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self(values)
    }
}

impl Samples {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn median(&self) -> f64 {
        let middle = self.0.len() / 2;
        match (self.0.len() % 2, self.0.get(middle.saturating_sub(1)), self.0.get(middle)) {
            (0, Some(below), Some(above)) => f64::midpoint(*below, *above),
            (_, _, Some(middle)) => *middle,
            _ => f64::NAN,
        }
    }

    /// The 95th percentile by nearest rank; the maximum of fewer than 20 samples.
    pub(crate) fn p95(&self) -> f64 {
        let rank = (self.0.len() * 95).div_ceil(100);
        self.0.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
    }

    /// The 99th percentile by nearest rank; the maximum of fewer than 100 samples.
    pub(crate) fn p99(&self) -> f64 {
        let rank = (self.0.len() * 99).div_ceil(100);
        self.0.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn max(&self) -> f64 {
        self.0.last().copied().unwrap_or(f64::NAN)
    }
}

#[cfg(test)]
mod tests {
    use super::Samples;

    fn samples(values: impl IntoIterator<Item = u32>) -> Samples {
        values.into_iter().map(f64::from).collect()
    }

    fn same(a: f64, b: f64) -> bool {
        (a - b).abs() < f64::EPSILON
    }

    #[test]
    fn the_median_is_the_middle() {
        assert!(same(samples([9, 1, 5]).median(), 5.0));
        assert!(same(samples([4, 1, 2, 9]).median(), 3.0));
        assert!(samples([]).median().is_nan());
    }

    #[test]
    fn percentiles_are_measured_values() {
        assert!(same(samples(1..=100).p95(), 95.0));
        assert!(same(samples(1..=20).p95(), 19.0));
        assert!(same(samples([3, 1, 2]).p95(), 3.0));
        assert!(same(samples(1..=1000).p99(), 990.0));
        assert!(samples([]).p95().is_nan());
    }
}
