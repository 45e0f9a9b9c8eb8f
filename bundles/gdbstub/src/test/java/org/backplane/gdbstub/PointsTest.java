package org.backplane.gdbstub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.backplane.board.api.BoardException;
import org.backplane.board.api.MachineDebugger.Reason;
import org.backplane.board.api.MachineDebugger.Stop;
import org.junit.jupiter.api.Test;

/** What a stop reply says about the point behind the stop, and where the stub listens. */
class PointsTest {
    private final Points points = new Points();

    private String reason(Reason why, long address, boolean write) {
        return points.reason(new Stop(why, 0, address, write));
    }

    @Test
    void softwareAndHardwareBreakpointsAreToldApart() {
        points.add(0, 0x1000, 1);
        points.add(1, 0x2000, 1);
        assertEquals("swbreak:;", reason(Reason.BREAKPOINT, 0x1000, false));
        assertEquals("hwbreak:;", reason(Reason.BREAKPOINT, 0x2000, false));
        points.remove(0, 0x1000, 1);
        assertEquals("hwbreak:;", reason(Reason.BREAKPOINT, 0x1000, false));
        assertEquals("", reason(Reason.STEP, 0x1000, false));
    }

    @Test
    void watchpointOfTheKindGoesBeforeOneOfEveryKind() {
        points.add(4, 0x1000, 8);
        assertEquals("awatch:1004;", reason(Reason.WATCHPOINT, 0x1004, true));
        points.add(2, 0x1004, 4);
        assertEquals("watch:1004;", reason(Reason.WATCHPOINT, 0x1004, true));
        assertEquals("awatch:1004;", reason(Reason.WATCHPOINT, 0x1004, false));
        points.add(3, 0x1007, 1);
        assertEquals("rwatch:1007;", reason(Reason.WATCHPOINT, 0x1007, false));
        assertEquals("", reason(Reason.WATCHPOINT, 0x1008, true));
    }

    @Test
    void withoutAHostItIsThisHostOnly() throws BoardException {
        assertEquals("127.0.0.1:1234", ListenAddress.parse("tcp::1234").toString());
        assertEquals("0.0.0.0:99", ListenAddress.parse("tcp:0.0.0.0:99").toString());
        assertEquals("::1:99", ListenAddress.parse("tcp:[::1]:99").toString());
        assertEquals("127.0.0.1:1234", ListenAddress.parse("tcp::1234,server,nowait").toString());
        for (String bad : new String[] {"", "1234", "tcp:1234", "tcp::", "tcp::65536", "tcp::x", "stdio"}) {
            assertThrows(BoardException.class, () -> ListenAddress.parse(bad), bad);
        }
    }
}
