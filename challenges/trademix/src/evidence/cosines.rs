//! How alike the relative books of miners are.

use super::EPS;
use mantis_kit::math;

/// The cosine of every two books.
#[derive(Clone, Debug)]
pub(crate) struct Cosines {
    books: usize,
    /// Row by row; both halves.
    values: Vec<f64>,
}

impl Cosines {
    /// Of books that are one vector each.
    pub(crate) fn new(books: &[Vec<f64>]) -> Self {
        let norms: Vec<f64> = books.iter().map(|book| math::dot(book, book).sqrt() + EPS).collect();
        let mut values = vec![0.0; books.len() * books.len()];
        for i in 0..books.len() {
            for j in 0..=i {
                let cosine = math::dot(&books[i], &books[j]) / (norms[i] * norms[j]);
                values[i * books.len() + j] = cosine;
                values[j * books.len() + i] = cosine;
            }
        }
        Self { books: books.len(), values }
    }

    pub(crate) fn of(&self, i: usize, j: usize) -> f64 {
        self.values[i * self.books + j]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_sign_and_size() {
        let cosines = Cosines::new(&[vec![1.0, 1.0], vec![-3.0, -3.0], vec![2.0, 0.0], vec![0.0, 0.0]]);
        assert!((cosines.of(0, 1) + 1.0).abs() < 1e-11 && cosines.of(0, 1) == cosines.of(1, 0));
        assert!((cosines.of(0, 2) - 0.5_f64.sqrt()).abs() < 1e-11);
        assert_eq!((cosines.of(3, 0), cosines.of(3, 3)), (0.0, 0.0));
    }
}
