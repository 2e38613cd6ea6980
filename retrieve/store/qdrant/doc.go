package qdrant
