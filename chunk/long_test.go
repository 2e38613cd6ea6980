package chunk

import "flag"

// long runs the laws at their full length.
var long = flag.Bool("long", false, "cut a stream of 1 GiB rather than 64 MiB, and a line of 10 MB rather than 1")
