// Package monitor watches the quality of a system in production.
package monitor
