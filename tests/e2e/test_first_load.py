"""What the browser really fetches for the first page."""

LIMIT = 350_000


def test_the_first_page_needs_at_most_350_kilobytes(visit):
    visit.open("/")
    fetched = visit.page.evaluate(
        """() => performance.getEntriesByType('resource')
             .filter((item) => /\\.(js|css)$/.test(new URL(item.name).pathname))
             .map((item) => [item.name, item.encodedBodySize, item.decodedBodySize])"""
    )
    assert len(fetched) >= 2
    assert all(sent < shown for name, sent, shown in fetched if shown > 2000), fetched
    assert sum(sent for _, sent, _ in fetched) <= LIMIT
