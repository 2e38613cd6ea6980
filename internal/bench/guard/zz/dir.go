package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/prodailabs/prodai/guard/detect"
)

func scan(d *detect.Detector, roots []string, limit int) {
	bytes := 0
	for _, root := range roots {
		filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || bytes > limit {
				return nil
			}
			switch filepath.Ext(path) {
			case ".go", ".py", ".md", ".yaml", ".yml", ".toml", ".sh", ".js", ".txt", ".rst", ".env", ".xml", ".html", ".cfg", ".ini", ".java", ".ts":
			default:
				return nil
			}
			b, _ := os.ReadFile(path)
			if len(b) > 300000 {
				return nil
			}
			bytes += len(b)
			t := string(b)
			for _, x := range d.Find(t) {
				fmt.Printf("%s %s %q in %q\n", x.Kind, path, x.Value(t), t[max(0, x.Start-60):min(len(t), x.End+15)])
			}
			return nil
		})
	}
	fmt.Fprintln(os.Stderr, "bytes", bytes)
}
