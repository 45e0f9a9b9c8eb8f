package org.backplane.devfdc;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.backplane.devicekit.test.BenchBlock;
import org.backplane.devicekit.test.DeviceBench;
import org.junit.jupiter.api.Test;

class FdcControlTest {
    private final DeviceBench bench = DeviceBench.unattached(new FdcFactory(), Map.of());
    private final BenchBlock disk = bench.insert("drive-a", Driver.image(1440));
    private final Driver driver = new Driver(bench.attach().reset());

    @Test
    void isInResetAtPowerOn() {
        assertEquals(0, bench.inb(Driver.MSR));
        bench.outb(Driver.FIFO, 0x10);
        assertEquals(0, bench.inb(Driver.MSR));
        assertEquals(0, bench.inb(Driver.DOR));
    }

    @Test
    void leavingResetReportsFourDrivesByOneInterrupt() {
        bench.outb(Driver.DOR, 0x0c);
        assertTrue(driver.irq());
        for (int i = 0; i < 4; i++) {
            assertArrayEquals(new int[] {0xc0 | i, 0}, driver.senseInterrupt());
            assertFalse(driver.irq());
        }
        driver.command(0x08);
        assertArrayEquals(new int[] {0x80}, driver.result(1), "nothing more");
    }

    @Test
    void interruptWaitsForTheGate() {
        bench.outb(Driver.DOR, 0x04);
        assertFalse(driver.irq());
        bench.outb(Driver.DOR, 0x0c);
        assertTrue(driver.irq());
    }

    @Test
    void dsrResetIsAReset() {
        driver.start();
        driver.seek(5);
        driver.command(Driver.READ, 0);
        bench.outb(Driver.DSR, 0x80);
        assertEquals(0x80, bench.inb(Driver.MSR));
        assertTrue(driver.irq());
        assertArrayEquals(new int[] {0xc0, 5}, driver.senseInterrupt(), "the head stays where it is");
    }

    @Test
    void resetInTheMiddleOfACommandDropsIt() {
        driver.start();
        driver.command(Driver.READ, 0, 0);
        assertEquals(0x90, bench.inb(Driver.MSR));
        bench.outb(Driver.DOR, 0x18);
        assertEquals(0, bench.inb(Driver.MSR));
        bench.outb(Driver.DOR, 0x1c);
        assertEquals(0x80, bench.inb(Driver.MSR));
    }

    @Test
    void seekEndsWithAnInterruptUntilItIsSensed() {
        driver.start();
        driver.command(0x0f, 0x04, 33);
        assertTrue(driver.irq());
        assertEquals(0x80, bench.inb(Driver.MSR));
        assertArrayEquals(new int[] {0x24, 33}, driver.senseInterrupt());
        assertFalse(driver.irq());
    }

    @Test
    void endsOfTwoSeeksAreReportedOneByOne() {
        driver.start();
        driver.command(0x0f, 0x01, 3);
        driver.command(0x0f, 0x00, 4);
        assertArrayEquals(new int[] {0x20, 4}, driver.senseInterrupt());
        assertTrue(driver.irq());
        assertArrayEquals(new int[] {0x21, 3}, driver.senseInterrupt());
        assertFalse(driver.irq());
    }

    @Test
    void recalibrateFindsTrack0() {
        driver.start();
        driver.seek(79);
        driver.command(0x04, 0x00);
        assertEquals(0x28, driver.result(1)[0]);
        driver.command(0x07, 0x00);
        assertArrayEquals(new int[] {0x20, 0}, driver.senseInterrupt());
        driver.command(0x04, 0x04);
        assertEquals(0x3c, driver.result(1)[0], "track 0; the head is given back");
    }

    @Test
    void recalibrateFrom80CylindersAwayNeedsTwo() {
        driver.start();
        driver.seek(82);
        driver.command(0x07, 0x00);
        assertArrayEquals(new int[] {0x70, 0}, driver.senseInterrupt());
        driver.command(0x07, 0x00);
        assertArrayEquals(new int[] {0x20, 0}, driver.senseInterrupt());
    }

    @Test
    void recalibrateWithoutADriveFindsNoTrack0() {
        driver.start();
        driver.command(0x07, 0x02);
        assertArrayEquals(new int[] {0x72, 0}, driver.senseInterrupt());
    }

    @Test
    void relativeSeekCountsFromWhereItIs() {
        driver.start();
        driver.seek(10);
        driver.command(0xcf, 0x00, 5);
        assertArrayEquals(new int[] {0x20, 15}, driver.senseInterrupt());
        driver.command(0x8f, 0x00, 3);
        assertArrayEquals(new int[] {0x20, 12}, driver.senseInterrupt());
    }

    @Test
    void versionTellsAnEnhancedController() {
        driver.start();
        driver.command(0x10);
        assertEquals(0x90, driver.result(1)[0]);
        assertFalse(driver.irq());
    }

    @Test
    void unknownCommandsAreInvalid() {
        driver.start();
        for (int opcode : new int[] {0x00, 0x01, 0x18, 0x1f, 0x33, 0x51, 0xcd}) {
            driver.command(opcode);
            assertEquals(0x80, driver.result(1)[0], Integer.toHexString(opcode));
        }
    }

    @Test
    void dumpregGivesWhatWasConfigured() {
        driver.start();
        driver.seek(9);
        driver.command(0x03, 0xaf, 0x1e);
        driver.command(0x13, 0, 0x57, 0x20);
        driver.command(0x12, 0x8f);
        driver.command(0x94);
        assertEquals(0x10, driver.result(1)[0]);
        driver.command(0x0e);
        assertArrayEquals(new int[] {9, 0, 0, 0, 0xaf, 0x1e, 0, 0x8f, 0x57, 0x20}, driver.result(10));
    }

    @Test
    void lockKeepsTheConfigurationOverAReset() {
        driver.start();
        driver.command(0x13, 0, 0x07, 0x11);
        driver.command(0x94);
        driver.result(1);
        bench.outb(Driver.DOR, 0);
        driver.start();
        driver.command(0x0e);
        assertEquals(0x07, driver.result(10)[8]);
        driver.command(0x14);
        assertEquals(0x00, driver.result(1)[0]);
        bench.outb(Driver.DOR, 0);
        driver.start();
        driver.command(0x0e);
        assertEquals(0x20, driver.result(10)[8]);
    }

    @Test
    void pollingOffMeansNoDrivesToSenseAfterReset() {
        driver.start();
        driver.command(0x13, 0, 0x10, 0);
        driver.command(0x94);
        driver.result(1);
        bench.outb(Driver.DOR, 0x08);
        bench.outb(Driver.DOR, 0x0c);
        driver.command(0x08);
        assertEquals(0x80, driver.result(1)[0]);
    }

    @Test
    void perpendicularKeepsDriveBitsWithoutOverwrite() {
        driver.start();
        driver.command(0x12, 0x84);
        driver.command(0x12, 0x03);
        driver.command(0x0e);
        assertEquals(0x07, driver.result(10)[7]);
    }

    @Test
    void changeLineIsReleasedByAStepOfTheSelectedDrive() {
        driver.start();
        assertEquals(0x80, bench.inb(Driver.DIR), "after power-on");
        driver.command(0x07, 0x00);
        driver.senseInterrupt();
        assertEquals(0x80, bench.inb(Driver.DIR), "it was at track 0: no step");
        driver.seek(1);
        assertEquals(0x00, bench.inb(Driver.DIR));
        disk.change(Driver.image(720));
        assertEquals(0x80, bench.inb(Driver.DIR), "exchanged");
        bench.outb(Driver.DOR, 0x2d);
        driver.command(0x0f, 0x01, 4);
        driver.senseInterrupt();
        assertEquals(0x80, bench.inb(Driver.DIR), "drive B is empty");
        bench.outb(Driver.DOR, 0x0c);
        assertEquals(0x00, bench.inb(Driver.DIR), "no motor, not selected");
    }

    @Test
    void statusRegistersAAndBAreNotDriven() {
        assertEquals(0xff, bench.inb(0x3f0));
        assertEquals(0xff, bench.inb(0x3f1));
        bench.outb(0x3f3, 0x02);
        assertEquals(0xfe & 0xff, bench.inb(0x3f3) & 0xfe | bench.inb(0x3f3) & 1);
    }

    @Test
    void imageOfNoFormatIsRefusedWithAClearMessage() {
        DeviceBench b = DeviceBench.unattached(new FdcFactory(), Map.of());
        b.insert("drive-b", new byte[1000]);
        String message = assertThrows(IllegalArgumentException.class, b::attach).getMessage();
        assertTrue(message.contains("drive-b") && message.contains("1000 bytes") && message.contains("1440K"), message);
    }

    @Test
    void exchangeForAnImageOfNoFormatEmptiesTheDriveAndIsLogged() {
        driver.start();
        disk.change(new byte[100]);
        bench.dma("dma").program(new byte[512]);
        assertEquals(0x01, driver.transfer(Driver.READ, 0, 0, 1, 18)[1]);
        assertTrue(bench.log().getLast().contains("100 bytes"), bench.log().toString());
    }

    @Test
    void configurationSurvivesASwapAndTheHeadStays() throws Exception {
        driver.start();
        driver.seek(20);
        bench.swap(new FdcFactory());
        bench.dma("dma").program(new byte[512]);
        assertEquals(0, driver.transfer(Driver.READ, 20, 0, 1, 18)[0]);
    }
}
