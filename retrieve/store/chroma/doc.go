package chroma
