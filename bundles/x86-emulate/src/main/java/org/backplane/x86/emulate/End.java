package org.backplane.x86.emulate;

import org.backplane.x86.isa.Site;
import org.backplane.x86.isa.exec.Cpu;

/** The last element of a block: sets RIP and says where it went. */
abstract class End extends Site {
    /** Ways out of a block. The first two lead to one place each, as long as the page is mapped where it was. */
    static final int FALL = 0, TAKEN = 1, ANYWHERE = 2;

    abstract int run(Cpu c);

    final End at(Site site) {
        offset = site.offset;
        index = site.index;
        length = site.length;
        return this;
    }

    /** The end of a block of nothing: the run loop has to look whether a debugger stops here. */
    static final class Look extends End {
        @Override
        int run(Cpu c) {
            c.stop();
            return ANYWHERE;
        }
    }

    /** The end of a block that was cut: no instruction, just the next address. */
    static final class Cut extends End {
        @Override
        int run(Cpu c) {
            c.s.rip = c.blockRip + offset & 0xffffffffL;
            return FALL;
        }
    }
}
