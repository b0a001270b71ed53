use dom_query::Document as Tree;
use url::Url;

use super::write;

fn markdown(html: &str) -> String {
    let tree = Tree::from(html);
    let base = Url::parse("https://example.org/docs/page.html").unwrap();
    write(&tree.root(), Some(&base))
}
