//! TLS, as far as it blocks: what is trusted, and the handshake.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, StreamOwned,
};
use websocket_wire::handshake::Uri;

use crate::open::{Fault, bare_host};
use crate::options::Options;

/// Makes the TLS handshake with the host of `uri`.
pub(crate) fn connect(
    stream: TcpStream,
    uri: &Uri<'_>,
    options: &Options,
) -> Result<StreamOwned<ClientConnection, TcpStream>, Fault> {
    let host = bare_host(uri);
    let name = ServerName::try_from(host.to_owned()).map_err(|_| format!("{host} is no name for a certificate"))?;
    let mut stream = StreamOwned::new(ClientConnection::new(Arc::new(config(options)?), name)?, stream);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => format!("{host} closed the connection in the TLS handshake"),
            _ => format!("the TLS handshake with {host} failed: {error}"),
        })?;
    }
    Ok(stream)
}

fn config(options: &Options) -> Result<ClientConfig, Fault> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
    if options.insecure {
        let trusting = Arc::new(Trusting(provider));
        return Ok(config.dangerous().with_custom_certificate_verifier(trusting).with_no_client_auth());
    }
    let mut roots = RootCertStore::empty();
    match &options.ca {
        Some(file) => {
            let unusable = |error| format!("{file} cannot be used: {error}");
            let certificates = CertificateDer::pem_file_iter(file).map_err(|error| unusable(error.to_string()))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
                roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(unusable("there is no certificate in it".into()).into());
            }
        }
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Trusts every certificate, as `--insecure` asks for. That the server has its key is checked all the same.
#[derive(Debug)]
struct Trusting(Arc<CryptoProvider>);

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
