// Command tlog is a stranger to the ledger: it knows C2SP tlog-tiles only, through Tessera's own client.
//
//	tlog [-old CHECKPOINT] [-witness VKEY] URL VKEY
//
// It checks, and prints as one JSON object:
//  1. the checkpoint is signed by the log's key (and cosigned by the witness's);
//  2. the root rebuilt from every entry bundle is the checkpoint's, and every hash tile is as rebuilt (Tessera's fsck);
//  3. entries spread over the log are included under the root;
//  4. the tree extends that of the older checkpoint.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"os"

	formats "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
)

const samples = 50

type found struct {
	Size       uint64 `json:"size"`
	Included   int    `json:"included"`
	Consistent uint64 `json:"consistent_from"`
	Cosigned   int64  `json:"cosigned_at"`
}

func main() {
	old := flag.String("old", "", "file with an older checkpoint")
	witness := flag.String("witness", "", "a witness's verifier key")
	flag.Parse()
	result, err := check(context.Background(), flag.Arg(0), flag.Arg(1), *old, *witness)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		os.Exit(1)
	}
}

func check(ctx context.Context, base, vkey, old, witness string) (*found, error) {
	root, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	log, err := client.NewHTTPFetcher(root, nil)
	if err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	head, raw, _, err := client.FetchCheckpoint(ctx, log.ReadCheckpoint, verifier, verifier.Name())
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	result := &found{Size: head.Size}
	if err := fsck.New(verifier.Name(), verifier, log, leafHashes, fsck.Opts{N: 2}).Check(ctx); err != nil {
		return nil, fmt.Errorf("rebuild: %w", err)
	}
	if result.Included, err = included(ctx, log, head.Size, head.Hash); err != nil {
		return nil, fmt.Errorf("inclusion: %w", err)
	}
	if old != "" {
		if result.Consistent, err = consistent(ctx, log, verifier, old); err != nil {
			return nil, fmt.Errorf("consistency: %w", err)
		}
	}
	if witness != "" {
		if result.Cosigned, err = cosigned(raw, witness); err != nil {
			return nil, fmt.Errorf("cosignature: %w", err)
		}
	}
	return result, nil
}

func leafHashes(bundle []byte) ([][]byte, error) {
	parsed := api.EntryBundle{}
	if err := parsed.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	hashes := make([][]byte, 0, len(parsed.Entries))
	for _, entry := range parsed.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return hashes, nil
}

func included(ctx context.Context, log *client.HTTPFetcher, size uint64, root []byte) (int, error) {
	builder, err := client.NewProofBuilder(ctx, size, log.ReadTile)
	if err != nil {
		return 0, err
	}
	count := 0
	for index := uint64(0); index < size; index += size/samples + 1 {
		bundle, err := client.GetEntryBundle(ctx, log.ReadEntryBundle, index/256, size)
		if err != nil {
			return count, err
		}
		path, err := builder.InclusionProof(ctx, index)
		if err != nil {
			return count, err
		}
		leaf := rfc6962.DefaultHasher.HashLeaf(bundle.Entries[index%256])
		if err := proof.VerifyInclusion(rfc6962.DefaultHasher, index, size, leaf, path, root); err != nil {
			return count, err
		}
		count++
	}
	return count, nil
}

func consistent(ctx context.Context, log *client.HTTPFetcher, verifier note.Verifier, file string) (uint64, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	latest := client.UnilateralConsensus(log.ReadCheckpoint)
	tracker, err := client.NewLogStateTracker(ctx, log.ReadTile, raw, verifier, verifier.Name(), latest)
	if err != nil {
		return 0, err
	}
	before := tracker.Latest().Size
	if _, _, _, err := tracker.Update(ctx); err != nil {
		return 0, err
	}
	return before, nil
}

func cosigned(raw []byte, vkey string) (int64, error) {
	verifier, err := formats.NewVerifierForCosignatureV1(vkey)
	if err != nil {
		return 0, err
	}
	opened, err := note.Open(bytes.Clone(raw), note.VerifierList(verifier))
	if err != nil {
		return 0, err
	}
	at, err := formats.CoSigV1Timestamp(opened.Sigs[0])
	return at.Unix(), err
}
