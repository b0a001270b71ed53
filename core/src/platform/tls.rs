//! TLS for every client of the process: rustls with ring, which needs no C library beside it.

/// Makes ring the process's cryptography, unless another was chosen before. Cheap to repeat.
pub fn install() {
    // An error says that one is installed, which is what is wanted.
    let _installed = rustls::crypto::ring::default_provider().install_default();
}
