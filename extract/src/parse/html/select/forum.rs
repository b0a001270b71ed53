//! Blocks around the posts of a discussion: author cards, counters, controls.

use super::weights::Weight;
use crate::parse::html::words::Words;

/// Maximum length of such a block, in letters.
const MAX_LETTERS: u32 = 200;

/// Parts of the names that forum software gives to such blocks. The author's name and the date of a post
/// stay: they attribute the post.
const FURNITURE: &[&str] = &[
    "userextras",
    "user-extras",
    "usertitle",
    "user-title",
    "user_title",
    "userbanner",
    "user-banner",
    "userstats",
    "user-stats",
    "user_stats",
    "userrank",
    "user-rank",
    "user_info_extra",
    "userinfo_extra",
    "userinfo-extra",
    "author-title",
    "author-posts",
    "author_statistics",
    "author-stat",
    "author-rank",
    "author-rating",
    "authorpane_info",
    "authorstats",
    "member-title",
    "membertitle",
    "membergroup",
    "member-group",
    "member-rank",
    "member-profile",
    "member-stat",
    "postgroup",
    "postcount",
    "post-count",
    "post_count",
    "profile-rank",
    "profile-posts",
    "profile-joined",
    "profile-location",
    "joindate",
    "join-date",
    "join_date",
    "reputation",
    "nicename",
    "attribution-opposite",
    "post-actions",
    "post_actions",
    "post-controls",
    "postcontrols",
    "post_controls",
    "post-buttons",
    "post-share",
    "actionbar",
    "action-bar",
    "reactionsbar",
    "post-reactions",
    "topic-stat",
    "postfoot",
    "post-foot",
    "post__footer",
    "userinfo__",
    "authorpane_badge",
    "comment_controls",
    "itemcontrols",
    "ipsreact",
    "post-likes",
    "post-menu",
    "flair",
    "badgecount",
    "vote-count",
    "roletitle",
    "moderatorbar",
    "back2top",
    "backtotop",
    "quick-reply",
    "quickreply",
    "fastreply",
    "topic-map",
    "whos-online",
    "jumpbox",
    "quickjump",
    "topic-head-stat",
];

/// Whole words in the names of such blocks.
const WORDS: &[&str] = &["signature", "signatures", "sig", "badges", "karma"];

/// Whether a block of a discussion is not part of a post.
pub(super) fn is_furniture(words: &Words, weight: Weight) -> bool {
    words.any(WORDS) || (weight.prose == 0 && weight.letters <= MAX_LETTERS && words.contain(FURNITURE))
}
