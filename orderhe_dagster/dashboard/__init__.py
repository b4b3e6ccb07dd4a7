"""The pages that a shop's people open: the dashboard, drawn from the exports, and the lineage. No Dagster.

What the dashboard shows and how it looks lies in `page/`; its data is `payload`'s. The column
lineage is `lineage_html`'s, its looks in `lineage_page/`.
"""
