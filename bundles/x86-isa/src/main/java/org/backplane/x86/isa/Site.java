package org.backplane.x86.isa;

/**
 * Where an instruction stands in its block. Whoever may fault or call out carries one, so that nothing needs to be stored
 * for an instruction that does neither.
 */
public abstract class Site {
    /** Bytes from the start of the block, the number of instructions before it in the block, and its length (1 to 15). */
    public int offset, index, length;
}
