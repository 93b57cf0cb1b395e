// Command tessera appends entries to a Tessera POSIX log, as a peer for the ledger's bench.
//
//	tessera -dir DIR -submitters N -batch N < ENTRIES
//
// ENTRIES are records, each after its length in four bytes, big-endian. Each submitter adds one batch and waits until
// all of it is integrated durably, then takes the next. The seconds from the first entry to the checkpoint that covers the
// last one are printed.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

// The least Tessera permits.
const checkpointInterval = 100 * time.Millisecond

// How long a batch that is not full waits for more.
const batchAge = 2 * time.Millisecond

func main() {
	dir := flag.String("dir", "", "where the log is made")
	submitters := flag.Int("submitters", 1, "batches in flight")
	batch := flag.Int("batch", 1, "entries of a batch")
	flag.Parse()
	took, err := run(context.Background(), *dir, *submitters, *batch)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%.6f\n", took.Seconds())
}

func run(ctx context.Context, dir string, submitters, batch int) (time.Duration, error) {
	entries, err := read(bufio.NewReader(os.Stdin))
	if err != nil {
		return 0, fmt.Errorf("entries: %w", err)
	}
	secret, _, err := note.GenerateKey(rand.Reader, "bench.example")
	if err != nil {
		return 0, err
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		return 0, err
	}
	driver, err := posix.New(ctx, posix.Config{Path: dir})
	if err != nil {
		return 0, err
	}
	options := tessera.NewAppendOptions().
		WithCheckpointSigner(signer).
		WithCheckpointInterval(checkpointInterval).
		WithBatching(uint(batch*submitters), batchAge).
		WithPushback(uint(2 * batch * submitters))
	appender, shutdown, reader, err := tessera.NewAppender(ctx, driver, options)
	if err != nil {
		return 0, err
	}
	started := time.Now()
	last, err := add(ctx, appender, entries, submitters, batch)
	if err != nil {
		return 0, err
	}
	awaiter := tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, 5*time.Millisecond)
	if _, _, err := awaiter.Await(ctx, last); err != nil {
		return 0, err
	}
	took := time.Since(started)
	return took, shutdown(ctx)
}

// add appends all entries and returns the future of one with the highest index.
func add(ctx context.Context, to *tessera.Appender, entries [][]byte, submitters, batch int) (tessera.IndexFuture, error) {
	batches := make(chan [][]byte)
	failed := make(chan error, submitters)
	var last tessera.IndexFuture
	var highest uint64
	var lock sync.Mutex
	var all sync.WaitGroup
	for range submitters {
		all.Go(func() {
			for some := range batches {
				futures := make([]tessera.IndexFuture, len(some))
				for at, entry := range some {
					futures[at] = to.Add(ctx, tessera.NewEntry(entry))
				}
				for _, future := range futures {
					index, err := future()
					if err != nil {
						failed <- err
						return
					}
					lock.Lock()
					if last == nil || index.Index > highest {
						last, highest = future, index.Index
					}
					lock.Unlock()
				}
			}
		})
	}
	var err error
	for at := 0; at < len(entries) && err == nil; at += batch {
		select {
		case batches <- entries[at:min(at+batch, len(entries))]:
		case err = <-failed:
		}
	}
	close(batches)
	all.Wait()
	if err == nil && len(failed) > 0 {
		err = <-failed
	}
	return last, err
}

func read(from io.Reader) ([][]byte, error) {
	var entries [][]byte
	for {
		var length uint32
		if err := binary.Read(from, binary.BigEndian, &length); errors.Is(err, io.EOF) {
			return entries, nil
		} else if err != nil {
			return nil, err
		}
		entry := make([]byte, length)
		if _, err := io.ReadFull(from, entry); err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
}
