package org.backplane.shadowmmu;

import java.util.ArrayList;
import java.util.List;

/**
 * One shadow page: a frame with 512 SPTEs, what it shadows, and who refers to it.
 *
 * <p>A reference to an SPTE is a long: number of the shadow frame in bits 63:9, index in bits 8:0.
 *
 * <p>The SPTEs that point at a page (its parents) are one stored inline, or a chain of chunks of five: most pages have one parent, the
 * kernel's have one in every process.
 */
final class ShadowPage {
    private static final int CHUNK = 5;

    private static final class ParentChunk {
        final long[] refs = new long[CHUNK];
        ParentChunk next;
    }

    /** No reference: frame 0 is never in use. */
    static final long NONE = 0;

    /** Host frame with the SPTEs. */
    final long frame;

    /** What it shadows: the frame of the guest table (or, direct, of the first page mapped), see {@link ShadowPages#key}. */
    final long key;

    /** The same as a guest frame number. */
    final long gfn;

    final int role;

    /** vCPUs whose root this is. */
    int roots;

    /** Zapped while it was a root, and not used since: freed when it is a root no more. */
    boolean zapped;

    ShadowPage hashNext, lruPrevious, lruNext;

    private long parent;
    private ParentChunk parents;

    ShadowPage(long frame, long key, long gfn, int role) {
        this.frame = frame;
        this.key = key;
        this.gfn = gfn;
        this.role = role;
    }

    int level() {
        return Role.level(role);
    }

    boolean direct() {
        return Role.direct(role);
    }

    long ref(int index) {
        return frame << 9 | index;
    }

    static long frameOf(long ref) {
        return ref >>> 9;
    }

    static int indexOf(long ref) {
        return (int) ref & 511;
    }

    void addParent(long ref) {
        if (parents == null) {
            if (parent == NONE) {
                parent = ref;
                return;
            }
            parents = new ParentChunk();
            parents.refs[0] = parent;
            parent = NONE;
        }
        for (ParentChunk c = parents; c != null; c = c.next) {
            for (int i = 0; i < CHUNK; i++) {
                if (c.refs[i] == NONE) {
                    c.refs[i] = ref;
                    return;
                }
            }
        }
        ParentChunk first = new ParentChunk();
        first.next = parents;
        first.refs[0] = ref;
        parents = first;
    }

    void removeParent(long ref) {
        if (parents == null) {
            if (parent != ref) throw new IllegalStateException("no such parent of " + this);
            parent = NONE;
            return;
        }
        ParentChunk previous = null;
        for (ParentChunk c = parents; c != null; previous = c, c = c.next) {
            for (int i = 0; i < CHUNK; i++) {
                if (c.refs[i] != ref) continue;
                c.refs[i] = NONE;
                if (empty(c)) {
                    if (previous == null) parents = c.next;
                    else previous.next = c.next;
                }
                return;
            }
        }
        throw new IllegalStateException("no such parent of " + this);
    }

    private static boolean empty(ParentChunk c) {
        for (long r : c.refs) if (r != NONE) return false;
        return true;
    }

    /** Any one of the parents, or {@link #NONE}. */
    long anyParent() {
        for (ParentChunk c = parents; c != null; c = c.next) {
            for (long r : c.refs) if (r != NONE) return r;
        }
        return parent;
    }

    /** The parents, for audits and for people. */
    List<Long> parentRefs() {
        List<Long> all = new ArrayList<>();
        if (parent != NONE) all.add(parent);
        for (ParentChunk c = parents; c != null; c = c.next) {
            for (long r : c.refs) if (r != NONE) all.add(r);
        }
        return all;
    }

    /** Chunks in use for parents. */
    int parentChunks() {
        int n = 0;
        for (ParentChunk c = parents; c != null; c = c.next) n++;
        return n;
    }

    @Override
    public String toString() {
        return String.format("[shadow of gfn %x, %s]", gfn, Role.describe(role));
    }
}
