-- Pages of a crawl: what the site map names, what a page calls itself, and how its text is written.

alter table source_page
    -- Named by the site map.
    add column listed boolean not null default false,
    -- Key of the canonical address that the page states.
    add column canonical text,
    -- How the content is written; null: Markdown.
    add column markup text,
    -- Not validated: a scan under an exclusive lock, and every earlier row is null.
    add constraint source_page_markup_check check (markup in ('plain', 'markdown', 'records')) not valid;
