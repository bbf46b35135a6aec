//! The C ABI that native plugins speak.
