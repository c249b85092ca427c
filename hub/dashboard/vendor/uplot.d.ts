/** The hub serves uPlot's own module at this address; the types are the package's. */
import uPlot from 'uplot';

export default uPlot;
