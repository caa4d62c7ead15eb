//! Values of an axis as they are typed: lists and ranges, as AUTOMATIC1111's X/Y plot takes them.

use super::axis::AxisError;

/// More values than this on one axis are too many to look at, and to keep.
pub(crate) const MOST: usize = 12;

/// The parts of a list; what stands in quotes may contain commas.
pub(super) fn parts(text: &str) -> Vec<String> {
    let (mut parts, mut part, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' | '\n' if !quoted => parts.push(std::mem::take(&mut part)),
            c => part.push(c),
        }
    }
    parts.push(part);
    let trimmed = parts.iter().map(|part| part.trim().to_owned());
    trimmed.filter(|part| !part.is_empty()).collect()
}

/// `1-8`, `1, 2, 4`, `1.0-2.0 (+0.25)`, `1-9 [3]`: the numbers they stand for.
pub(super) fn numbers(text: &str) -> Result<Vec<f64>, AxisError> {
    let mut numbers = Vec::new();
    for part in parts(text) {
        numbers.extend(expand(&part)?);
        if numbers.len() > MOST {
            return Err(AxisError::TooMany);
        }
    }
    if numbers.is_empty() { Err(AxisError::Empty) } else { Ok(numbers) }
}

fn expand(part: &str) -> Result<Vec<f64>, AxisError> {
    if let Some(number) = number(part) {
        return Ok(vec![number]);
    }
    let wrong = || AxisError::NotANumber(part.to_owned());
    let (ends, how) = match part.find(['(', '[']) {
        Some(at) => (part[..at].trim(), Some(part[at..].trim())),
        None => (part, None),
    };
    // Not the sign of the first number.
    let dash = ends.char_indices().skip(1).filter(|(_, c)| *c == '-').map(|(at, _)| at);
    let split = dash.filter_map(|at| Some((number(&ends[..at])?, number(&ends[at + 1..])?)));
    let (from, to) = split.into_iter().next().ok_or_else(wrong)?;
    match how {
        None => Ok(range(from, to, if to < from { -1.0 } else { 1.0 })),
        Some(how) => match (bracketed(how, ['(', ')']), bracketed(how, ['[', ']'])) {
            (Some(step), _) => {
                let step = number(step.trim_start_matches('+')).ok_or_else(wrong)?;
                if step == 0.0 || (to - from) * step < 0.0 {
                    return Err(AxisError::NoWay(part.to_owned()));
                }
                Ok(range(from, to, step))
            }
            (_, Some(count)) => match count.trim().parse::<usize>() {
                Ok(0) => Err(AxisError::NoWay(part.to_owned())),
                Ok(1) => Ok(vec![from]),
                Ok(count) if count > MOST => Err(AxisError::TooMany),
                Ok(count) => {
                    let at = |i: usize| round(from + (to - from) * i as f64 / (count - 1) as f64);
                    Ok((0..count).map(at).collect())
                }
                Err(_) => Err(wrong()),
            },
            _ => Err(wrong()),
        },
    }
}

fn bracketed(text: &str, [open, close]: [char; 2]) -> Option<&str> {
    Some(text.strip_prefix(open)?.strip_suffix(close)?.trim())
}

/// One more than [`MOST`] at most, so that a slip of the keyboard costs nothing.
fn range(from: f64, to: f64, step: f64) -> Vec<f64> {
    let count = ((to - from) / step + 1e-9).floor() as usize + 1;
    (0..count.min(MOST + 1)).map(|i| round(from + step * i as f64)).collect()
}

/// A step of 0.1 ten times is 1.
fn round(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_ranges_are_read() {
        let read = |text: &str| numbers(text).unwrap();
        assert_eq!(read("1-8"), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        assert_eq!(read("1, 2,4 ,"), [1.0, 2.0, 4.0]);
        assert_eq!(read("1.0-2.0 (+0.25)"), [1.0, 1.25, 1.5, 1.75, 2.0]);
        assert_eq!(read("0-1 (+0.1)"), [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]);
        assert_eq!(read("-1-1 (+0.5)"), [-1.0, -0.5, 0.0, 0.5, 1.0]);
        assert_eq!(read("3-1, 9"), [3.0, 2.0, 1.0, 9.0]);
        assert_eq!(read("1-9 [3]"), [1.0, 5.0, 9.0]);
        assert_eq!(read("2-1 (-0.5)"), [2.0, 1.5, 1.0]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |text: &str| numbers(text).unwrap_err();
        assert_eq!(wrong(" , "), AxisError::Empty);
        assert_eq!(wrong("1, two"), AxisError::NotANumber("two".into()));
        assert_eq!(wrong("1-2 (+0.25"), AxisError::NotANumber("1-2 (+0.25".into()));
        assert_eq!(wrong("1-2 (-1)"), AxisError::NoWay("1-2 (-1)".into()));
        assert_eq!(wrong("1-2 (0)"), AxisError::NoWay("1-2 (0)".into()));
        assert_eq!(wrong("1-1e18"), AxisError::TooMany);
        assert_eq!(wrong("1-9 [99]"), AxisError::TooMany);
        assert_eq!(wrong("NaN"), AxisError::NotANumber("NaN".into()));
    }

    #[test]
    fn quotes_keep_commas() {
        assert_eq!(parts("red, \"blue, dark\" , green"), ["red", "blue, dark", "green"]);
    }
}
