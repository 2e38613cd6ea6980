package weaviate
