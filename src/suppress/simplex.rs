//! A bounded simplex method kept as a dictionary: every variable is bounded, and some are written as sums of the rest.
//!
//! The moves of a table are a dictionary from the start, so there is nothing to set up; new rows and changed bounds
//! keep what was reached. Dense, bounded by work and not by time: the same input ends in the same way on any machine.
//! Chvatal, "Linear Programming" (1983), chapters 3 and 8; the sum of infeasibilities is lessened first.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: rows are as long as there are columns, all along")]

/// What counts as nothing.
const TINY: f64 = 1e-9;
/// How far outside its bounds a variable may be: well above what a step lets slip.
const OUTSIDE: f64 = 1e-7;
/// After so many steps that gained nothing, the first variable that may enter is taken (Bland), which cannot cycle.
const STALLED_MAX: u32 = 40;

/// How a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Nothing better is possible, or the goal is reached.
    Reached,
    /// The goal has no bound.
    Unbounded,
    /// No values are within all bounds.
    Infeasible,
    /// The work allowed is used up.
    OutOfWork,
}

/// A row that stops a column: after how far, how steeply, at which bound.
struct Stop {
    row: usize,
    reach: f64,
    slope: f64,
    bound: f64,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Row(usize),
    Column(usize),
}

/// Variables with bounds; those of the rows are sums of those of the columns.
#[derive(Debug, Clone, Default)]
pub struct Dictionary {
    low: Vec<f64>,
    high: Vec<f64>,
    values: Vec<f64>,
    places: Vec<Place>,
    columns: Vec<usize>,
    /// The variable of each row, and its coefficients over the columns.
    rows: Vec<(usize, Vec<f64>)>,
}

impl Dictionary {
    /// A free-standing variable, of which no sum was made so far.
    pub fn variable(&mut self, low: f64, high: f64, value: f64) -> usize {
        let name = self.low.len();
        self.rows.iter_mut().for_each(|(_, row)| row.push(0.0));
        self.places.push(Place::Column(self.columns.len()));
        self.columns.push(name);
        self.bounds_of_new(low, high, value);
        name
    }

    /// A variable that is a sum of others.
    pub fn define(&mut self, terms: &[(usize, f64)], low: f64, high: f64) -> usize {
        let name = self.low.len();
        let mut row = vec![0.0; self.columns.len()];
        let mut value = 0.0;
        for &(variable, factor) in terms {
            value += factor * self.values[variable];
            match self.places[variable] {
                Place::Column(column) => row[column] += factor,
                Place::Row(other) => {
                    for (sum, coefficient) in row.iter_mut().zip(&self.rows[other].1) {
                        *sum += factor * coefficient;
                    }
                }
            }
        }
        self.places.push(Place::Row(self.rows.len()));
        self.rows.push((name, row));
        self.bounds_of_new(low, high, value);
        name
    }

    fn bounds_of_new(&mut self, low: f64, high: f64, value: f64) {
        self.low.push(low);
        self.high.push(high);
        self.values.push(value);
    }

    /// Rows times columns.
    #[must_use]
    pub fn size(&self) -> usize {
        self.rows.len().saturating_mul(self.columns.len())
    }

    /// Where a variable stands now.
    #[must_use]
    pub fn value(&self, variable: usize) -> f64 {
        self.values[variable]
    }

    /// Changes bounds. A variable that stands free is moved inside them; one that is a sum may now be outside.
    pub fn bound(&mut self, variable: usize, low: f64, high: f64) {
        (self.low[variable], self.high[variable]) = (low, high);
        if let Place::Column(column) = self.places[variable] {
            self.shift(column, self.values[variable].clamp(low, high) - self.values[variable]);
        }
    }

    /// A variable as a sum of those that stand free.
    #[must_use]
    pub fn form(&self, variable: usize) -> Vec<(usize, f64)> {
        match self.places[variable] {
            Place::Column(_) => vec![(variable, 1.0)],
            Place::Row(row) => {
                let terms = self.columns.iter().zip(&self.rows[row].1);
                terms.filter(|(_, c)| c.abs() > TINY).map(|(&variable, &c)| (variable, c)).collect()
            }
        }
    }

    /// Brings all variables within their bounds and then `sign` times the goal to its maximum, or to `enough`.
    pub fn maximise(&mut self, goal: Option<usize>, sign: f64, enough: f64, work: &mut u64) -> End {
        let mut stalled = 0;
        loop {
            let (mut gradient, infeasible) = self.towards_feasible();
            if !infeasible {
                let Some(goal) = goal else { return End::Reached };
                if sign * self.values[goal] >= enough {
                    return End::Reached;
                }
                gradient = self.gradient(goal, sign);
            }
            let Some((column, slope)) = self.entering(&gradient, stalled > STALLED_MAX) else {
                return if infeasible { End::Infeasible } else { End::Reached };
            };
            let (step, leaving) = self.ratio(column, slope.signum(), stalled > STALLED_MAX);
            if step.is_infinite() {
                return if infeasible { End::OutOfWork } else { End::Unbounded };
            }
            stalled = if step > TINY { 0 } else { stalled + 1 };
            let entering = self.columns[column];
            self.shift(column, slope.signum() * step);
            let done = if let Some((row, bound)) = leaving {
                self.pivot(row, column, bound)
            } else {
                self.values[entering] = if slope > 0.0 { self.high[entering] } else { self.low[entering] };
                self.rows.len()
            };
            let cost = u64::try_from(done + self.rows.len() + self.columns.len()).unwrap_or(u64::MAX);
            match work.checked_sub(cost) {
                Some(left) => *work = left,
                None => return End::OutOfWork,
            }
        }
    }

    fn gradient(&self, goal: usize, sign: f64) -> Vec<f64> {
        match self.places[goal] {
            Place::Row(row) => self.rows[row].1.iter().map(|c| sign * c).collect(),
            Place::Column(column) => {
                let mut unit = vec![0.0; self.columns.len()];
                unit[column] = sign;
                unit
            }
        }
    }

    /// 1 below the lower bound, -1 above the upper, 0 inside.
    fn outside(&self, variable: usize) -> f64 {
        let value = self.values[variable];
        let slack = OUTSIDE * (1.0 + value.abs());
        if value < self.low[variable] - slack {
            1.0
        } else if value > self.high[variable] + slack {
            -1.0
        } else {
            0.0
        }
    }

    fn towards_feasible(&self) -> (Vec<f64>, bool) {
        let (mut gradient, mut infeasible) = (vec![0.0; self.columns.len()], false);
        for (variable, row) in &self.rows {
            let way = self.outside(*variable);
            if way != 0.0 {
                infeasible = true;
                for (sum, coefficient) in gradient.iter_mut().zip(row) {
                    *sum += way * coefficient;
                }
            }
        }
        (gradient, infeasible)
    }

    /// The column that gains most and may move, or the first by name.
    fn entering(&self, gradient: &[f64], first: bool) -> Option<(usize, f64)> {
        let may = |&(column, slope): &(usize, f64)| {
            let (variable, value) = (self.columns[column], self.values[self.columns[column]]);
            (slope > TINY && value < self.high[variable]) || (slope < -TINY && value > self.low[variable])
        };
        let able = gradient.iter().copied().enumerate().filter(may);
        if first {
            able.min_by_key(|&(column, _)| self.columns[column])
        } else {
            able.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))
        }
    }

    /// How far the column can go, and which row stops it at which bound. The bounds are widened by a trifle first, and
    /// of all rows that stop it within that, the one with the largest coefficient is taken, which is the steadiest
    /// (Harris 1973).
    fn ratio(&self, column: usize, way: f64, first: bool) -> (f64, Option<(usize, f64)>) {
        let entering = self.columns[column];
        let value = self.values[entering];
        let own = if way > 0.0 { self.high[entering] - value } else { value - self.low[entering] };
        let stops = || self.rows.iter().enumerate().filter_map(|(row, _)| self.stop(row, column, way));
        let widest = stops().map(|stop| stop.reach + TINY / stop.slope).fold(f64::INFINITY, f64::min);
        if own <= widest {
            return (own, None);
        }
        let within = stops().filter(|stop| stop.reach <= widest);
        let stop = if first {
            within.min_by_key(|stop| self.rows[stop.row].0)
        } else {
            within.max_by(|a, b| a.slope.total_cmp(&b.slope))
        };
        stop.map_or((own, None), |stop| (stop.reach, Some((stop.row, stop.bound))))
    }

    /// Where a row stops the column, if it does. One that is outside its bounds stops it where it comes in.
    fn stop(&self, row: usize, column: usize, way: f64) -> Option<Stop> {
        let (variable, coefficients) = &self.rows[row];
        let slope = coefficients[column] * way;
        if slope.abs() < TINY {
            return None;
        }
        let (outside, low, high) = (self.outside(*variable), self.low[*variable], self.high[*variable]);
        let bound = match (slope > 0.0, outside > 0.0, outside < 0.0) {
            (true, true, _) | (false, false, false) => low,
            (true, false, false) | (false, false, true) => high,
            (true, false, true) | (false, true, _) => return None,
        };
        let reach = ((bound - self.values[*variable]) / slope).max(0.0);
        bound.is_finite().then_some(Stop { row, reach, slope: slope.abs(), bound })
    }

    fn shift(&mut self, column: usize, step: f64) {
        if step == 0.0 {
            return;
        }
        self.values[self.columns[column]] += step;
        for (variable, row) in &self.rows {
            if row[column] != 0.0 {
                self.values[*variable] += row[column] * step;
            }
        }
    }

    /// Exchanges the variable of a row, which is now at `bound`, with that of a column. Gives the work done.
    fn pivot(&mut self, row: usize, column: usize, bound: f64) -> usize {
        let (leaving, mut pivot) = std::mem::take(&mut self.rows[row]);
        let entering = self.columns[column];
        let scale = pivot[column];
        for coefficient in &mut pivot {
            *coefficient /= -scale;
        }
        pivot[column] = 1.0 / scale;
        let hot: Vec<(usize, f64)> =
            pivot.iter().copied().enumerate().filter(|&(at, c)| c != 0.0 && at != column).collect();
        let mut done = 0;
        for (_, other) in self.rows.iter_mut().filter(|(_, other)| !other.is_empty()) {
            let factor = std::mem::replace(&mut other[column], 0.0);
            if factor != 0.0 {
                for &(at, coefficient) in &hot {
                    other[at] += factor * coefficient;
                    if other[at].abs() < TINY * 1e-2 {
                        other[at] = 0.0;
                    }
                }
                other[column] = factor / scale;
                done += hot.len();
            }
        }
        self.rows[row] = (entering, pivot);
        self.columns[column] = leaving;
        self.places[entering] = Place::Row(row);
        self.places[leaving] = Place::Column(column);
        self.values[leaving] = bound;
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: f64 = f64::INFINITY;

    #[test]
    fn a_small_program_ends_at_its_known_maximum() {
        // max 3x + 5y, x <= 4, 2y <= 12, 3x + 2y <= 18: 36 at (2, 6)
        let mut program = Dictionary::default();
        let (x, y) = (program.variable(0.0, 4.0, 0.0), program.variable(0.0, FREE, 0.0));
        program.define(&[(y, 2.0)], -FREE, 12.0);
        program.define(&[(x, 3.0), (y, 2.0)], -FREE, 18.0);
        let goal = program.define(&[(x, 3.0), (y, 5.0)], -FREE, FREE);
        assert_eq!(program.maximise(Some(goal), 1.0, FREE, &mut 1_000_000), End::Reached);
        assert!((program.value(goal) - 36.0).abs() < 1e-9 && (program.value(x) - 2.0).abs() < 1e-9);
        // a bound drawn closer later, from where it stands
        program.bound(y, 0.0, 5.0);
        assert_eq!(program.maximise(Some(goal), 1.0, FREE, &mut 1_000_000), End::Reached);
        assert!((program.value(goal) - (8.0 + 25.0)).abs() < 1e-9);
        assert_eq!(program.maximise(Some(goal), -1.0, FREE, &mut 1_000_000), End::Reached);
        assert!(program.value(goal).abs() < 1e-9);
    }

    #[test]
    fn what_cannot_be_or_has_no_end_is_said() {
        let mut program = Dictionary::default();
        let (x, y) = (program.variable(0.0, FREE, 0.0), program.variable(0.0, FREE, 0.0));
        let sum = program.define(&[(x, 1.0), (y, 1.0)], 2.0, 3.0);
        let difference = program.define(&[(x, 1.0), (y, -1.0)], -FREE, FREE);
        assert_eq!(program.maximise(Some(difference), 1.0, FREE, &mut 1_000_000), End::Reached);
        assert!((program.value(difference) - 3.0).abs() < 1e-9);
        program.bound(sum, 0.0, FREE);
        assert_eq!(program.maximise(Some(sum), 1.0, FREE, &mut 1_000_000), End::Unbounded);
        program.define(&[(x, 1.0)], -5.0, -1.0);
        assert_eq!(program.maximise(Some(sum), 1.0, FREE, &mut 1_000_000), End::Infeasible);
        assert_eq!(program.maximise(Some(sum), 1.0, FREE, &mut 0), End::Infeasible, "it needs no step to see that");
    }
}
