package pgvector
