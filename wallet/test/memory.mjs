export { memoryStore } from "../src/memory.js";
