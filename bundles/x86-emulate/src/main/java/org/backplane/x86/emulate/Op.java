package org.backplane.x86.emulate;

import org.backplane.x86.isa.Site;
import org.backplane.x86.isa.exec.Cpu;

/** An element of a decoded block: one instruction ready to run. Immutable once the block is built. */
abstract class Op extends Site {
    /** Runs it; see the contract of {@code Handler}. */
    abstract void run(Cpu c);

    /** Takes over the position of a decoded instruction. */
    final Op at(Site site) {
        offset = site.offset;
        index = site.index;
        length = site.length;
        return this;
    }
}
