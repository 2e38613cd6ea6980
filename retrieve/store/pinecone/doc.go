package pinecone
