package org.backplane.devfdc;

import java.io.IOException;
import java.util.Arrays;
import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterFile;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.StateException;

/**
 * The commands that read and write the medium.
 *
 * <p><b>Sector IDs.</b> An image has none, so they are what the format would have written: the head's real cylinder and side, sectors 1 to
 * the format's number, size code 2 (512 bytes). A command that looks for another ID ends as it would after two turns of the disk: with
 * "no data", and "wrong cylinder" where that is why. A track that has no readable ID at all (no medium, no MFM, another data rate, beyond
 * the format) ends with "missing address mark"; the chip itself would wait for ever for a drive without a medium.
 *
 * <p><b>The ID in work</b> is in the command's own bytes C, H, R, N, which count on as the data sheet's table 5-4 says and become the result.
 *
 * <p><b>End.</b> By DMA a transfer ends at terminal count. Without it, it goes on to sector EOT (with multi-track, of both sides) and
 * ends abnormally there, "end of cylinder". Programmed I/O has no terminal count and always ends so; drivers for it know.
 *
 * <p>Deleted data marks are not kept in images: READ DELETED DATA finds normal sectors, WRITE DELETED DATA writes them.
 */
final class Transfer {
    private static final int C = 2;
    private static final int H = 3;
    private static final int R = 4;
    private static final int N = 5;
    private static final int EOT = 6;
    private static final int SECTOR_COUNT = 8;
    private static final int FORMAT_SIZE = 2;
    private static final int FORMAT_SECTORS = 3;
    private static final int FORMAT_FILLER = 5;
    private static final int ENABLE_COUNT = 0x80;
    private static final int SIZE_512 = 2;
    private static final int ID_BYTES = 4;
    private static final long REVOLUTION_NANOS = 200_000_000;

    private final Fdc fdc;
    /** Side in work. */
    private final Register head;
    /** READ TRACK: sector in work. FORMAT, VERIFY: sectors to go. */
    private final Register counter;
    /** Status 1 bits that do not end READ TRACK. */
    private final Register noted;
    /** Programmed I/O: next byte of {@link #data}. */
    private final Register position;

    private final byte[] data = new byte[Geometry.SECTOR];

    Transfer(Fdc fdc, RegisterFile file) {
        this.fdc = fdc;
        head = file.register("head", 8).bits("side", 0);
        counter = file.register("counter", 16);
        noted = file.register("noted", 8);
        position = file.register("data_position", 16);
    }

    void reset() {
        Arrays.fill(data, (byte) 0);
    }

    void save(CardState state) {
        state.put("data", data);
    }

    void load(CardState state) throws StateException {
        reset();
        state.getBytesInto("data", data);
    }

    // ---- commands ----

    void read() {
        start();
        readSectors();
    }

    /** Without SKIP the first sector is read, though its mark is the wrong one, and ends the command; with it all are skipped. */
    void readDeleted() {
        start();
        if ((fdc.parameter(0) & Command.SKIP) != 0) {
            if (located()) end(Status.ABNORMAL, Status.ST1_NO_DATA, Status.ST2_CONTROL_MARK);
        } else {
            readSectors();
        }
    }

    void readTrack() {
        start();
        counter.set(1);
        noted.set(0);
        readSectors();
    }

    void write() {
        start();
        if (protectedFrom()) return;
        if (fdc.control.nonDma()) {
            if (located()) expect();
            return;
        }
        while (located() && takeByDma(Geometry.SECTOR) && store() && more()) {}
    }

    /** Reads, checks and forgets: as many sectors as the last byte says with EC, else up to EOT. Has no end by terminal count. */
    void verify() {
        start();
        boolean counted = (fdc.parameter(1) & ENABLE_COUNT) != 0;
        int left = !counted ? 0 : fdc.parameter(SECTOR_COUNT) == 0 ? 256 : fdc.parameter(SECTOR_COUNT);
        while (located() && fetch(fdc.parameter(R))) {
            boolean more = next();
            left--;
            if (left == 0 || !more && !counted) end(0, 0, 0);
            else if (!more) end(Status.ABNORMAL, Status.ST1_END_OF_CYLINDER, 0);
            else continue;
            return;
        }
    }

    /** The ID that passes the head at this moment. */
    void readId() {
        begin();
        int unit = fdc.unit();
        FloppyDrive d = fdc.drives[unit];
        boolean readable = readable(d);
        fdc.fifo.set(C, d.cylinder());
        fdc.fifo.set(H, head.value());
        int sectors = readable ? d.geometry().sectors() : 1;
        fdc.fifo.set(R, 1 + fdc.nanos() % REVOLUTION_NANOS * sectors / REVOLUTION_NANOS);
        fdc.fifo.set(N, SIZE_512);
        if (readable) end(0, 0, 0);
        else end(Status.ABNORMAL, Status.ST1_MISSING_ADDRESS_MARK, 0);
    }

    /** The image keeps its format, so only IDs that it has already can be written; the sectors are filled. */
    void format() {
        fdc.control.lastSector(fdc.parameter(FORMAT_SECTORS));
        begin();
        counter.set(fdc.parameter(FORMAT_SECTORS));
        if (protectedFrom()) return;
        if (!readable(fdc.drives[fdc.unit()])) {
            end(Status.ABNORMAL | Status.EQUIPMENT_CHECK, 0, 0);
        } else if (fdc.control.nonDma()) {
            expect();
        } else {
            while (takeByDma(ID_BYTES) && formatSector()) {}
        }
    }

    // ---- programmed I/O ----

    int byteRead() {
        int at = position.intValue();
        int b = data[at] & 0xff;
        position.set(at + 1);
        if (at + 1 < Geometry.SECTOR) {
            fdc.requestByte(true);
        } else if (moreOfRead()) {
            readSectors();
        }
        return b;
    }

    void byteWritten(int b) {
        int at = position.intValue();
        data[at] = (byte) b;
        position.set(at + 1);
        boolean formatting = fdc.command() == Command.FORMAT;
        if (at + 1 < (formatting ? ID_BYTES : Geometry.SECTOR)) {
            fdc.requestByte(false);
        } else if (formatting ? formatSector() : store() && more() && located()) {
            expect();
        }
    }

    /** Waits for the first byte of a sector or an ID. */
    private void expect() {
        position.set(0);
        fdc.requestByte(false);
    }

    // ---- sector by sector ----

    private void start() {
        fdc.control.lastSector(fdc.parameter(EOT));
        fdc.control.impliedSeek(fdc.unit(), fdc.parameter(C));
        begin();
    }

    private void begin() {
        fdc.lookAt(fdc.unit());
        head.set(fdc.parameter(1) >> 2 & 1);
    }

    private void readSectors() {
        boolean track = fdc.command() == Command.READ_TRACK;
        while (track ? trackSector() : located() && fetch(fdc.parameter(R))) {
            if (fdc.control.nonDma()) {
                position.set(0);
                fdc.requestByte(true);
                return;
            }
            if (!giveByDma() || !moreOfRead()) return;
        }
    }

    /** READ TRACK reads the sectors in the order of the track, whatever their IDs; that one differs is noted. */
    private boolean trackSector() {
        FloppyDrive d = fdc.drives[fdc.unit()];
        if (!readable(d)) {
            end(Status.ABNORMAL, Status.ST1_MISSING_ADDRESS_MARK, 0);
            return false;
        }
        int sectors = d.geometry().sectors();
        int n = (counter.intValue() - 1) % sectors + 1;
        boolean differs = fdc.parameter(C) != d.cylinder() || fdc.parameter(H) != head.value() || fdc.parameter(R) != n || fdc.parameter(N) != SIZE_512;
        if (differs) noted.setBits(Status.ST1_NO_DATA);
        return fetch(n);
    }

    /** A sector was read: goes on to the next, or ends the command. */
    private boolean moreOfRead() {
        switch (fdc.command()) {
            case READ_TRACK -> {
                int done = counter.intValue();
                counter.set(done + 1);
                fdc.fifo.set(R, fdc.parameter(R) + 1);
                if (done < fdc.parameter(EOT) && !terminalCount()) return true;
                end(0, noted.intValue(), 0);
                return false;
            }
            case READ_DELETED -> {
                next();
                end(0, 0, Status.ST2_CONTROL_MARK);
                return false;
            }
            default -> {
                return more();
            }
        }
    }

    private boolean terminalCount() {
        return !fdc.control.nonDma() && fdc.terminalCount();
    }

    /** After a sector: counts the ID on. False when that was the last one; the command has ended then. */
    private boolean more() {
        boolean last = !next();
        if (terminalCount()) end(0, 0, 0);
        else if (last) end(Status.ABNORMAL, Status.ST1_END_OF_CYLINDER, 0);
        else return true;
        return false;
    }

    /** Counts the ID on; false when the cylinder (without multi-track: the side) is at its end. */
    private boolean next() {
        if (fdc.parameter(R) != fdc.parameter(EOT)) {
            fdc.fifo.set(R, fdc.parameter(R) + 1);
            return true;
        }
        fdc.fifo.set(R, 1);
        boolean multiTrack = (fdc.parameter(0) & Command.MULTI_TRACK) != 0;
        if (multiTrack) fdc.fifo.set(H, fdc.parameter(H) ^ 1);
        if (multiTrack && head.value() == 0) {
            head.set(1);
            return true;
        }
        fdc.fifo.set(C, fdc.parameter(C) + 1);
        return false;
    }

    /** IDs can be read under the head. */
    private boolean readable(FloppyDrive d) {
        Geometry g = d.geometry();
        return g != null
                && (fdc.parameter(0) & Command.MFM) != 0
                && g.readableAt(fdc.rate())
                && head.intValue() < g.heads()
                && d.cylinder() < g.cylinders();
    }

    /** The sector of the ID in work is under the head; if not, the command has ended. */
    private boolean located() {
        FloppyDrive d = fdc.drives[fdc.unit()];
        if (!readable(d)) {
            end(Status.ABNORMAL, Status.ST1_MISSING_ADDRESS_MARK, 0);
        } else if (fdc.parameter(C) != d.cylinder()) {
            int why = fdc.parameter(C) == 0xff ? Status.ST2_BAD_CYLINDER : 0;
            end(Status.ABNORMAL, Status.ST1_NO_DATA, Status.ST2_WRONG_CYLINDER | why);
        } else if (fdc.parameter(H) != head.value()
                || fdc.parameter(N) != SIZE_512
                || fdc.parameter(R) < 1
                || fdc.parameter(R) > d.geometry().sectors()) {
            end(Status.ABNORMAL, Status.ST1_NO_DATA, 0);
        } else {
            return true;
        }
        return false;
    }

    private boolean protectedFrom() {
        if (!fdc.drives[fdc.unit()].writeProtected()) return false;
        end(Status.ABNORMAL, Status.ST1_NOT_WRITABLE, 0);
        return true;
    }

    /** Reads a sector of the track into {@link #data}; an error of the host's is a bad checksum. */
    private boolean fetch(int sector) {
        try {
            fdc.drives[fdc.unit()].read(head.intValue(), sector, data);
            return true;
        } catch (IOException e) {
            return hostFailed("read", e);
        }
    }

    /** Writes {@link #data} to the sector of the ID in work. */
    private boolean store() {
        return store(fdc.parameter(R));
    }

    private boolean store(int sector) {
        try {
            fdc.drives[fdc.unit()].write(head.intValue(), sector, data);
            return true;
        } catch (IOException e) {
            return hostFailed("written", e);
        }
    }

    private boolean hostFailed(String what, IOException e) {
        fdc.log("a sector cannot be " + what + ": " + e.getMessage());
        end(Status.ABNORMAL, Status.ST1_DATA_ERROR, Status.ST2_DATA_ERROR);
        return false;
    }

    /** Hands {@link #data} to memory. A request that is not served before terminal count is an overrun. */
    private boolean giveByDma() {
        int moved = fdc.moveByDma(true, data, Geometry.SECTOR);
        return moved == Geometry.SECTOR || moved > 0 && fdc.terminalCount() || overrun();
    }

    /** Takes {@code bytes} from memory; what is missing at terminal count is zero. */
    private boolean takeByDma(int bytes) {
        int moved = fdc.moveByDma(false, data, bytes);
        if (moved == bytes) return true;
        if (moved == 0 || !fdc.terminalCount()) return overrun();
        Arrays.fill(data, moved, bytes, (byte) 0);
        return true;
    }

    private boolean overrun() {
        end(Status.ABNORMAL, Status.ST1_OVERRUN, 0);
        return false;
    }

    /** Writes the sector whose ID is in {@link #data}; false when the command has ended. */
    private boolean formatSector() {
        FloppyDrive d = fdc.drives[fdc.unit()];
        int sector = data[2] & 0xff;
        boolean possible = fdc.parameter(FORMAT_SIZE) == SIZE_512
                && (data[0] & 0xff) == d.cylinder()
                && data[1] == head.value()
                && data[3] == SIZE_512
                && sector >= 1
                && sector <= d.geometry().sectors();
        if (!possible) {
            fdc.log("an image keeps its format: " + d.geometry() + " cannot have a sector " + sector + " of size code " + data[3]);
            end(Status.ABNORMAL | Status.EQUIPMENT_CHECK, 0, 0);
            return false;
        }
        Arrays.fill(data, (byte) fdc.parameter(FORMAT_FILLER));
        if (!store(sector)) return false;
        counter.set(counter.intValue() - 1);
        if (counter.value() != 0) return true;
        end(0, 0, 0);
        return false;
    }

    /** The result of every transfer: three status bytes and the ID. */
    private void end(int status0, int status1, int status2) {
        int unit = fdc.unit();
        for (int i = N; i >= C; i--) fdc.fifo.set(i + 1, fdc.parameter(i));
        fdc.fifo.set(0, status0 | head.intValue() << 2 | unit);
        fdc.fifo.set(1, status1);
        fdc.fifo.set(2, status2);
        fdc.result(7);
        fdc.dataInterrupt(true);
    }
}
