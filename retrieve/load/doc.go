// Package load reads files into text, and remembers where in the file each byte of the text
// is from.
//
// # The idea
//
// Lecture 10. A citation is worth something if a reader can look it up. So a loader gives a
// [Document]: the text, and for each part of it the [Place] in the file. A chunker cuts the
// text with its own offsets, and [Document.Locate] adds the place to each passage:
//
//	file ─► loader ─► Document.Text ─► chunker ─► passages ─► Locate ─► passages with page and line
//	              └─► Document.Place(start, end)  ◄─────────────┘
//
// # Terms
//
//   - Document loader (also: loader, parser): A document loader reads a file of some format
//     and returns its text with metadata.
//   - Decompression bomb (also: zip bomb): A decompression bomb is a small file that unpacks
//     to gigabytes. PDF and DOCX are packed, so their loaders count what they unpack.
//   - OCR (also: optical character recognition): OCR reads the text of a picture. A scanned
//     PDF has no text without it; no loader of this library does it.
//
// # The formats
//
// The table lists the loaders, and what a place is in each format.
//
//	               package         text                      place
//	plain text     load.Text       the file                  bytes, line
//	CSV            load.CSV        "heading: value" lines    bytes and line of the row, row
//	Markdown       load/markdown   the file                  bytes, line
//	HTML           load/html       what a reader sees        bytes, line
//	DOCX           load/docx       paragraphs and tables     paragraph, bytes of word/document.xml
//	PDF            load/pdf        words in drawing order    page, rectangle
//
// A file that is damaged is [ErrFormat], one with a password [ErrEncrypted], one that needs
// more than [Options] allow a [*LimitError]. Loaders never panic or run forever: each is
// fuzzed, and tested with bombs, rings and deep nesting.
//
// # A minimal program
//
//	loaders := map[string]load.Loader{".md": markdown.Load, ".html": html.Load, ".pdf": pdf.Load, ".docx": docx.Load, ".csv": load.CSV}
//	for d, err := range load.Files(ctx, os.DirFS("manuals"), loaders, nil) {
//		if err != nil {
//			log.Print(err) // this file can't be read; the others can
//			continue
//		}
//		chunks, err := chunker.Chunk(ctx, d.Text)
//		if err != nil {
//			return err
//		}
//		passages := chunk.Documents(d.Source, d.Meta, chunks)
//		d.Locate(passages)
//		if _, err := collection.Sync(ctx, d.Source, passages); err != nil {
//			return err
//		}
//	}
//
// # Pitfalls
//
//   - Don't load a user's file without limits: the defaults are for files of a trusted
//     user. Set smaller ones for uploads.
//   - Don't trust what a page says: text can be invisible to a reader and visible to a
//     model. Check passages with package guard.
//   - Don't take an empty text for an empty PDF: it is often a scan that needs OCR.
//
// # Questions
//
// How do I show the page of a PDF that an answer rests on? Load the file with load/pdf, cut
// Document.Text with a chunker, and call [Document.Locate]: each passage then has "page" in
// its metadata. Document.Place gives the rectangle to highlight.
//
// Why does a PDF's text come in a strange order? A PDF's text comes in the order in which it
// was drawn, since the format has glyphs at coordinates and no paragraphs. Most programs draw
// in reading order; for others there is no certain order.
//
// # Lab
//
// The pipeline lab answers from the files of a folder, with page, line or row:
//
//	go run ./examples/lab10-rag -docs FOLDER -ask "a question about the files in it"
package load
