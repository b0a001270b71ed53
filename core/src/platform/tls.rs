//! TLS for every client of the process: rustls with ring, which needs no C library.

/// Installs ring as the process's default crypto provider, unless one is installed already. Cheap to repeat.
pub fn install() {
    // Fails when a provider is installed already, which is no problem.
    let _installed = rustls::crypto::ring::default_provider().install_default();
}
