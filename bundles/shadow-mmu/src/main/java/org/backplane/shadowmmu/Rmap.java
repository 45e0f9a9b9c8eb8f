package org.backplane.shadowmmu;

import java.util.Arrays;

/**
 * The reverse map: for every RAM frame the present leaf SPTEs that map it.
 *
 * <p>A frame's head is 0 (none), a single reference stored inline (bit 0 clear), or the number of a descriptor (bit 0 set). A
 * descriptor holds up to four references and the number of the next one. Most frames have one reference, or two: the kernel's linear map
 * and a process.
 *
 * <p>Order means nothing. Iterate with {@link #first} and {@link #next}; a change ends the iteration.
 */
final class Rmap {
    private static final int PER_DESCRIPTOR = 4, NEXT = 4, DESCRIPTOR = 5;

    /** By frame number. References are kept shifted left by one. */
    private long[] heads = new long[1024];

    private long[] pool = new long[DESCRIPTOR * 256];
    private int poolTop = 1;
    private int freeDescriptor;

    // The cursor.
    private int cursorDescriptor, cursorIndex;

    /** Adds a reference that is not there yet. */
    void add(long frame, long ref) {
        int f = (int) frame;
        if (f >= heads.length) heads = Arrays.copyOf(heads, Math.max(f + 1, heads.length * 2));
        long head = heads[f];
        if (head == 0) {
            heads[f] = ref << 1;
            return;
        }
        if ((head & 1) == 0) {
            int d = allocate();
            pool[d] = head >>> 1;
            pool[d + 1] = ref;
            heads[f] = (long) d << 1 | 1;
            return;
        }
        int d = (int) (head >>> 1);
        // Only the first descriptor may have holes, at its end.
        for (int i = 0; i < PER_DESCRIPTOR; i++) {
            if (pool[d + i] == 0) {
                pool[d + i] = ref;
                return;
            }
        }
        int first = allocate();
        pool[first] = ref;
        pool[first + NEXT] = d;
        heads[f] = (long) first << 1 | 1;
    }

    /** Removes a reference that is there. */
    void remove(long frame, long ref) {
        int f = (int) frame;
        long head = f < heads.length ? heads[f] : 0;
        if ((head & 1) == 0) {
            if (head >>> 1 != ref || ref == 0) throw new IllegalStateException("rmap of frame " + frame + " lacks an SPTE");
            heads[f] = 0;
            return;
        }
        int first = (int) (head >>> 1);
        for (int d = first; d != 0; d = (int) pool[d + NEXT]) {
            for (int i = 0; i < PER_DESCRIPTOR; i++) {
                if (pool[d + i] == ref) {
                    fillHole(f, first, d + i);
                    return;
                }
            }
        }
        throw new IllegalStateException("rmap of frame " + frame + " lacks an SPTE");
    }

    /** Moves the last reference of the first descriptor into the hole, so that holes are only at its end. */
    private void fillHole(int frame, int first, int hole) {
        int last = PER_DESCRIPTOR - 1;
        while (pool[first + last] == 0) last--;
        pool[hole] = pool[first + last];
        pool[first + last] = 0;
        if (last > 0) {
            if (last == 1 && pool[first + NEXT] == 0) {
                heads[frame] = pool[first] << 1;
                release(first);
            }
            return;
        }
        int next = (int) pool[first + NEXT];
        heads[frame] = next == 0 ? 0 : (long) next << 1 | 1;
        release(first);
    }

    /** The first reference of a frame, or 0. */
    long first(long frame) {
        int f = (int) frame;
        long head = f < heads.length ? heads[f] : 0;
        if ((head & 1) == 0) {
            cursorDescriptor = 0;
            return head >>> 1;
        }
        cursorDescriptor = (int) (head >>> 1);
        cursorIndex = 0;
        return pool[cursorDescriptor];
    }

    /** The next one, or 0. */
    long next() {
        if (cursorDescriptor == 0) return 0;
        if (++cursorIndex < PER_DESCRIPTOR && pool[cursorDescriptor + cursorIndex] != 0) {
            return pool[cursorDescriptor + cursorIndex];
        }
        cursorDescriptor = (int) pool[cursorDescriptor + NEXT];
        cursorIndex = 0;
        return cursorDescriptor == 0 ? 0 : pool[cursorDescriptor];
    }

    /** No frame from this one on has a reference. */
    int frames() {
        return heads.length;
    }

    /** Descriptors in use. */
    int descriptors() {
        int free = 0;
        for (int d = freeDescriptor; d != 0; d = (int) pool[d + NEXT]) free++;
        return (poolTop - 1) / DESCRIPTOR - free;
    }

    /** Forgets everything. */
    void clear() {
        Arrays.fill(heads, 0);
        poolTop = 1;
        freeDescriptor = 0;
    }

    private int allocate() {
        int d = freeDescriptor;
        if (d != 0) {
            freeDescriptor = (int) pool[d + NEXT];
        } else {
            d = poolTop;
            poolTop += DESCRIPTOR;
            if (poolTop > pool.length) pool = Arrays.copyOf(pool, pool.length * 2);
        }
        Arrays.fill(pool, d, d + DESCRIPTOR, 0);
        return d;
    }

    private void release(int d) {
        pool[d + NEXT] = freeDescriptor;
        freeDescriptor = d;
    }
}
