package main

// selection is the table of the lecture: what decides between the stores.
const selection = `
Which store?
                run by              filters                        take it when
  collection    your program        before the search, exact       one process; up to some 100,000 passages
  pgvector      you, in PostgreSQL  in SQL; an index gives fewer   your data is in PostgreSQL; joins, transactions
  Qdrant        you or the vendor   inside the walk of the graph   many filtered searches; quantized vectors
  Weaviate      you or the vendor   a list of allowed objects      hybrid search and embedding in the database
  Pinecone      the vendor only     on flat metadata up to 40 KB   you want to operate nothing
  Chroma        you or the vendor   on flat metadata               a prototype or a small service
`

const notice = `
What to notice: the exact search has recall 1 by definition, and a database has an
approximate index in its place. A filter that is applied after the search leaves almost
nothing when few passages fit; one that the store applies leaves ten, or all that there
are. Each store gives the same counts for the same tenant, and a tenant's name that is a
piece of SQL finds public passages only. A move embeds nothing again.

What to try: start the databases with .ci/stores go run ./examples/lab10-vectordbs, and
look at which is slower than the collection, and why: each search is a request there. (The
qdrant that it starts is the client's local mode, in Python and without an index: its
answers are Qdrant's, its times are not.) Then try -n 8000. In stores.go, give pgvector the index IndexIVFFlat before and after the
passages are written: its clusters are learned from the rows that are there.

What to read: the notes of retrieve/store, and "Choosing a vector database" in those of
retrieve.
`
