//! The Mantis host: everything around the challenges.
