//! Our side: the embedder that the workers call.

use std::sync::Arc;

use parlance_core::providers::embed::{Embedder, OnnxEmbedder};
use tokio_util::sync::CancellationToken;

use super::Ask;
use crate::parts::Parts;

pub(super) struct Ours {
    embedder: Box<OnnxEmbedder>,
    texts: Vec<String>,
}

impl Ours {
    pub(super) fn load(parts: &Parts, texts: Vec<String>) -> anyhow::Result<Self> {
        Ok(Self { embedder: Box::new(OnnxEmbedder::load(&parts.embedding(), None)?), texts })
    }

    pub(super) async fn embed(&self, ask: Ask) -> anyhow::Result<Vec<Vec<f32>>> {
        let nobody_listens = Arc::new(|_| ());
        let texts = self.texts.iter().take(ask.texts).cloned().collect();
        let never = CancellationToken::new();
        Ok(self.embedder.embed_passages(texts, nobody_listens, never).await?)
    }
}
