//! Helpers of the outside-in tests.
