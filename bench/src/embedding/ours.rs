//! Our side: the embedder of the workers.

use std::sync::Arc;

use parlance_core::platform::fair_queue::Caller;
use parlance_core::providers::embed::{Embedder, OnnxEmbedder};
use tokio_util::sync::CancellationToken;

use super::EmbedRequest;
use crate::parts::Parts;

pub(super) struct Ours {
    embedder: Box<OnnxEmbedder>,
    texts: Vec<String>,
}

impl Ours {
    pub(super) fn load(parts: &Parts, texts: Vec<String>) -> anyhow::Result<Self> {
        Ok(Self { embedder: Box::new(OnnxEmbedder::load(&parts.embedding(), None)?), texts })
    }

    pub(super) async fn embed(&self, request: EmbedRequest) -> anyhow::Result<Vec<Vec<f32>>> {
        let ignore_progress = Arc::new(|_| ());
        let texts = self.texts.iter().take(request.texts).cloned().collect();
        let never = CancellationToken::new();
        Ok(self.embedder.embed_passages(Caller::system(), texts, ignore_progress, never).await?)
    }
}
